import { Agent } from 'node:http'
import { join } from 'node:path'
import { nodeHashing } from '../../adapters/node/hashing.ts'
import { verifyAuditFiles } from '../../adapters/node/verify-audit-files.ts'
import { logFiles, recordsOf } from '../../test/fault/support/log.ts'
import { type Runtime, sleep, startGateway, startRedis, tempDir, waitFor } from '../../test/support/index.ts'
import { everythingOn } from '../everything-on.ts'
import { startCallers } from './callers.ts'
import { soakModel } from './model.ts'
import type { Observed } from './verdict.ts'
import { type Look, startWatch } from './watch.ts'

const INSIDE = join(import.meta.dirname, 'inside.mjs')
const TEAMS = ['search', 'legal', 'support', 'research']
/** Connections that nobody uses are closed in seconds; the rest of this is for a busy machine. */
const SETTLE_MS = 60_000
/** A lease that is neither renewed nor returned is there for 10 s at the least; it must not go by running out. */
const RETURN_MS = 8000
const MOST_LOOKS = 90
const LEAST_INTERVAL_MS = 500

export interface SoakOptions {
  readonly runtime: Runtime
  readonly streams: number
  readonly seconds: number
  readonly seed: number
  readonly onLook?: (look: Look) => void
}

/**
 * Runs a gateway with everything on (signed tokens, quotas and leases in Redis, guards, a waiting line, an audit log in
 * several files) under callers of every kind, and looks at it meanwhile. Nothing is judged here.
 */
export async function soak({ runtime, streams, seconds, seed, onLook }: SoakOptions): Promise<Observed> {
  await using redis = await startRedis()
  await using model = await soakModel()
  const dir = tempDir()
  const insideFile = join(dir, 'inside.json')
  const server = { url: `${model.url}/v1`, kind: 'openai' }
  await using gateway = await startGateway({
    runtime,
    dir,
    config: {
      ...everythingOn(redis.url),
      models: [
        // A little less than is asked for, so that some always wait in line.
        { id: 'm', upstreams: [{ ...server, maxInFlight: Math.ceil(streams * 0.9) }] },
        { id: 'staged', upstreams: [server] },
      ],
      timeouts: { firstByte: '10s' },
      audit: { file: 'audit/audit.jsonl', hmacSecret: '${env:PROMPT_HMAC_SECRET}', maxFileSize: '4MiB' },
    },
    env: {
      NODE_ENV: 'production',
      SOAK_INSIDE: insideFile,
      ...(runtime === 'node' ? { NODE_OPTIONS: `--import=${INSIDE}` } : { BUN_OPTIONS: `--preload=${INSIDE}` }),
      // Bun's fetch waits without a word beyond this many requests in progress.
      BUN_CONFIG_MAX_HTTP_REQUESTS: '4096',
    },
  })
  const tokens: string[] = []
  for (const team of TEAMS) tokens.push(await gateway.mint({ team }))
  const watch = startWatch(gateway, redis.url, insideFile)
  const start = await watch.look(0, 0) // opens the connections that looking needs, too
  const before = watch.descriptors()

  const agent = new Agent({ keepAlive: true })
  const began = performance.now()
  const until = began + seconds * 1000
  const callers = startCallers({ gateway, tokens, agent, count: streams, seed, until })
  const looks: Look[] = []
  const intervalMs = Math.max(LEAST_INTERVAL_MS, (seconds * 1000) / MOST_LOOKS)
  for (let next = began + intervalMs; next < until; next += intervalMs) {
    await sleep(Math.max(0, next - performance.now()))
    const look = await watch.look((performance.now() - began) / 1000, callers.active())
    looks.push(look)
    onLook?.(look)
  }
  await callers.done
  agent.destroy()

  // Those of Bun's own pool stay for as long as the model server does.
  const kept = () => (runtime === 'bun' ? model.connections() : 0)
  // Whether they are, in the end, is judged.
  await waitFor('leases', async () => (await watch.leases()) === 0, RETURN_MS).catch(() => undefined)
  const leases = await watch.leases()
  await waitFor('descriptors', () => watch.descriptors() <= before + kept(), SETTLE_MS).catch(() => undefined)
  const descriptors = {
    before,
    most: Math.max(...looks.map(look => look.descriptors)),
    after: watch.descriptors(),
    kept: kept(),
  }
  const end = await watch.look((performance.now() - began) / 1000, callers.active())
  const version = watch.version()
  watch.stop()
  const { code } = await gateway.stop()

  const { bad, verified } = await verifyAuditFiles(nodeHashing, logFiles(dir))
  const logged = new Map(recordsOf({ dir }).map(({ requestId, status }) => [requestId, status]))
  return {
    version,
    looks,
    tallies: callers.tallies,
    descriptors,
    leases: { most: Math.max(...looks.map(look => look.leases)), after: leases },
    gaugesLeft: Object.fromEntries(
      Object.entries(end.gauges).filter(([name, value]) => value !== (start.gauges[name] ?? 0)),
    ),
    audit: {
      bad: bad && `${bad.file}:${bad.line}: ${bad.reason}`,
      records: verified.records,
      open: verified.open,
      missing: [...callers.answered].filter(([id, status]) => logged.get(id) !== status).map(([id]) => id),
      answered: callers.answered.size,
    },
    exitCode: code,
  }
}

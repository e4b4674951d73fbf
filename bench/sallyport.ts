import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { sallyportOutput, tempDir } from '../test/support/index.ts'
import type { Workload } from './workloads.ts'

const ROOT = resolve(import.meta.dirname, '..')
const BUNDLE = join(ROOT, 'dist/sallyport.mjs')
const PROGRAM = { node: process.execPath, bun: join(ROOT, 'node_modules/.bin/bun') }

/** High enough never to refuse: what is measured is the counting. */
const AMPLE = 1_000_000_000

export interface SallyportSetup {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly headers: readonly string[]
}

/**
 * A gateway with everything on: signed tokens, five quota limits in Redis, all guards at their defaults, and an audit
 * log that is durable before an answer is complete. Keys, token, configuration and log are in a folder of its own.
 */
export async function setUpSallyport(options: {
  readonly runtime: keyof typeof PROGRAM
  readonly port: number
  readonly upstreamPort: number
  readonly redisUrl: string
  readonly workloads: readonly Workload[]
}): Promise<SallyportSetup> {
  const { runtime, port, upstreamPort, redisUrl, workloads } = options
  const dir = tempDir()
  const upstreams = [{ url: `http://127.0.0.1:${upstreamPort}/v1`, kind: 'openai' }]
  const settings = {
    listen: { host: '127.0.0.1', port },
    state: redisUrl,
    tokens: { issuer: 'sallyport', audience: 'sallyport', jwks: 'keys/public.jwks.json' },
    models: [...new Set(workloads.map(({ model }) => model))].map(id => ({ id, upstreams })),
    quotas: [
      { name: 'team-minute', per: ['team'], requests: AMPLE, tokens: AMPLE, window: '1m' },
      { name: 'app-hour', per: ['team', 'app'], tokens: AMPLE, window: '1h' },
      { name: 'token-minute', per: ['token'], requests: AMPLE, window: '1m' },
      { name: 'model-day', per: ['model'], tokens: AMPLE, window: '1d' },
    ],
    audit: { file: 'audit/audit.jsonl', hmacSecret: '${env:PROMPT_HMAC_SECRET}' },
  }
  const file = join(dir, 'sallyport.yaml')
  writeFileSync(file, stringify(settings))
  const keys = join(dir, 'keys')
  await sallyportOutput(['keys', 'init', '--dir', keys], { cwd: dir })
  const claims = { team: 'bench', app: 'load', env: 'bench', scope: 'inference', key: join(keys, 'signing.jwk.json') }
  const flags = Object.entries(claims).flatMap(([name, value]) => [`--${name}`, value])
  const token = await sallyportOutput(['token', 'mint', ...flags], { cwd: dir })
  return {
    command: [PROGRAM[runtime], BUNDLE, 'serve', '--config', file],
    env: {
      PORT: String(port),
      NODE_ENV: 'production',
      PROMPT_HMAC_SECRET: 'a secret for benchmarks alone, 32 bytes or more',
      // Bun's fetch waits without a word beyond this many requests in progress.
      BUN_CONFIG_MAX_HTTP_REQUESTS: '4096',
    },
    headers: [`authorization: Bearer ${token}`],
  }
}

import { readdirSync, readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { residentMiB } from '../../test/fault/support/model.ts'

/** One look at the gateway; memory in MiB. */
export interface Look {
  /** Seconds since the load began. */
  readonly s: number
  readonly rss: number
  readonly heap: number | undefined
  readonly external: number | undefined
  readonly descriptors: number
  /** What keeps the event loop going, by kind; Bun does not tell. */
  readonly resources: Readonly<Record<string, number>>
  /** Every gauge of `/metrics`, by name and labels. */
  readonly gauges: Readonly<Record<string, number>>
  /** Holders of the limits on requests at the same time, in Redis. */
  readonly leases: number
  /** Requests that the callers have under way. */
  readonly active: number
}

export interface Watch {
  look(s: number, active: number): Promise<Look>
  /** The holders of every lease that there is. */
  leases(): Promise<number>
  descriptors(): number
  /** Of the runtime. */
  version(): string | undefined
  stop(): void
}

const METRICS_DEADLINE_MS = 20_000
const MIB = 2 ** 20

/** Watches a gateway from outside, and through what `inside.mjs` writes into `insideFile`. */
export function startWatch(
  gateway: { readonly pid: number; readonly adminUrl: string },
  redisUrl: string,
  insideFile: string,
): Watch {
  const redis = new Redis(redisUrl)
  const descriptors = () => readdirSync(`/proc/${gateway.pid}/fd`).length

  async function leases(): Promise<number> {
    let held = 0
    for await (const keys of redis.scanStream({ match: 'sallyport:*:lease:*', count: 1000 }))
      for (const key of keys as string[]) held += await redis.zcard(key)
    return held
  }

  return {
    descriptors,
    leases,
    version: () => insideOf(insideFile)?.version,
    async look(s, active) {
      const inside = insideOf(insideFile)
      return {
        s: Math.round(s * 10) / 10,
        rss: residentMiB(gateway.pid),
        heap: inside && inside.heapUsed / MIB,
        external: inside && inside.external / MIB,
        descriptors: descriptors(),
        resources: inside?.resources ?? {},
        gauges: await gaugesOf(gateway.adminUrl),
        leases: await leases(),
        active,
      }
    },
    stop: () => redis.disconnect(),
  }
}

interface Inside {
  readonly version: string
  readonly heapUsed: number
  readonly external: number
  readonly resources: Readonly<Record<string, number>>
}

function insideOf(file: string): Inside | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Inside
  } catch {
    return undefined // it has not written yet
  }
}

async function gaugesOf(adminUrl: string): Promise<Record<string, number>> {
  const response = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(METRICS_DEADLINE_MS) })
  const text = await response.text()
  const names = new Set([...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name]) => name))
  const series = [...text.matchAll(/^(([^\s{#]+)(?:\{.*\})?) (\S+)$/gm)]
  return Object.fromEntries(
    series.filter(([, , name]) => names.has(name)).map(([, key, , value]) => [key, Number(value)]),
  )
}

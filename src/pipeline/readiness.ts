import type { Services } from './services.ts'

export interface Readiness {
  readonly ready: boolean
  readonly state: boolean
  readonly audit: boolean
  /** At least one model server answers. */
  readonly upstream: boolean
}

/** For how long an answer of a model server counts, so that probes by many do not add up. */
const FRESH_MS = 2000
const PROBE_TIMEOUT_MS = 1000

const lastSeen = new WeakMap<Services, { at: number; ok: boolean }>()

/** Whether requests could be served now: the store, the log and at least one model server are usable. */
export async function ready(services: Services): Promise<Readiness> {
  const [state, audit, upstream] = await Promise.all([
    services.store.ready(),
    services.audit.ready(),
    anyUpstream(services),
  ])
  const auditUsable = audit || services.config.audit.onFailure === 'serve'
  return { ready: state && auditUsable && upstream, state, audit, upstream }
}

async function anyUpstream(services: Services): Promise<boolean> {
  const now = services.clock.monotonic()
  const last = lastSeen.get(services)
  if (last && now - last.at < FRESH_MS) return last.ok
  const urls = new Set(services.config.models.flatMap(({ upstreams }) => upstreams.map(({ url }) => url)))
  const probes = [...urls].map(url => probe(services, url))
  const ok = await Promise.any(probes).then(
    () => true,
    () => false,
  )
  lastSeen.set(services, { at: now, ok })
  return ok
}

/** Resolves when the server answers anything at all below 500; rejects otherwise, at the latest at the deadline. */
function probe(services: Services, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const flow = services.upstream.send(
      { method: 'GET', url: `${url}/models`, headers: { accept: 'application/json' } },
      {
        onHead: status => {
          clearTimeout(timer)
          flow.cancel()
          if (status < 500) resolve()
          else reject(new Error('not ready'))
        },
        onData: () => {},
        onEnd: () => {},
        onFailure: ({ message }) => {
          clearTimeout(timer)
          reject(new Error(message))
        },
      },
    )
    const timer = setTimeout(() => {
      flow.cancel()
      reject(new Error('timeout'))
    }, PROBE_TIMEOUT_MS)
  })
}

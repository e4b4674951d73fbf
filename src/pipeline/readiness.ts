import { ask } from '../pool/ask.ts'
import type { Validators } from '../validators/validators.ts'
import type { Services } from './services.ts'

export interface Readiness {
  readonly ready: boolean
  readonly state: boolean
  readonly audit: boolean
  /** It is known which tokens were revoked, recently enough to go by. */
  readonly revocations: boolean
  /** At least one model server answers. */
  readonly upstream: boolean
  /** The keys of the gateway's own tokens are there. */
  readonly keys: boolean
  /**
   * So are those of all other issuers. Where they are not, the instance is ready all the same: an identity provider that is
   * down would take the callers of all the others with it.
   */
  readonly trustedKeys?: boolean
  /**
   * By name, whether a validator answers. What it means that one does not is for policy to say, request by request: the
   * instance is ready all the same, since others would fare no better.
   */
  readonly validators?: Readonly<Record<string, boolean>>
  /** By name, whether a destination of the audit log is up to date; the instance is ready all the same: nothing is lost. */
  readonly forwarding?: Readonly<Record<string, boolean>>
}

/** For how long an answer of a model server counts, so that probes by many do not add up. */
const FRESH_MS = 2000
const PROBE_TIMEOUT_MS = 1000

const lastSeen = new WeakMap<Services, { at: number; ok: boolean }>()
const lastValidators = new WeakMap<Services, { at: number; answer: Record<string, boolean> }>()

/** Whether requests could be served now: store, log, keys, what is known of revocations and a model server are usable. */
export async function ready(services: Services): Promise<Readiness> {
  const [state, audit, upstream, validators] = await Promise.all([
    services.store.ready(),
    services.audit.ready(),
    anyUpstream(services),
    services.validators && eachValidator(services, services.validators),
  ])
  const auditUsable = audit || services.config.audit.onFailure === 'serve'
  const revocations = services.revocations.fresh
  const revocationsUsable = revocations || services.config.tokens.revocation.onFailure === 'serve'
  const [keys = false, ...trusted] = [...services.keys.values()].map(source => source.keys !== undefined)
  return {
    ready: state && auditUsable && revocationsUsable && upstream && keys,
    state,
    audit,
    revocations,
    upstream,
    keys,
    ...(trusted.length > 0 && { trustedKeys: trusted.every(Boolean) }),
    ...(validators && { validators }),
    ...(services.forwarding && { forwarding: services.forwarding.inTime() }),
  }
}

async function eachValidator(services: Services, { all }: Validators): Promise<Record<string, boolean>> {
  const now = services.clock.monotonic()
  const last = lastValidators.get(services)
  if (last && now - last.at < FRESH_MS) return last.answer
  const answers = all.map(async ({ config: { name, url } }): Promise<[string, boolean]> => {
    const ok = await probe(services, url).then(
      () => true,
      () => false,
    )
    return [name, ok]
  })
  const answer = Object.fromEntries(await Promise.all(answers))
  lastValidators.set(services, { at: now, answer })
  return answer
}

async function anyUpstream(services: Services): Promise<boolean> {
  const now = services.clock.monotonic()
  const last = lastSeen.get(services)
  if (last && now - last.at < FRESH_MS) return last.ok
  if (services.pool.wellWithin(FRESH_MS)) return true
  const urls = new Set(services.config.models.flatMap(({ upstreams }) => upstreams.map(({ url }) => url)))
  const probes = [...urls].map(url => probe(services, `${url}/models`))
  const ok = await Promise.any(probes).then(
    () => true,
    () => false,
  )
  lastSeen.set(services, { at: now, ok })
  return ok
}

/** Resolves when the server answers anything at all below 500; rejects otherwise, at the latest at the deadline. */
async function probe({ upstream }: Services, url: string): Promise<void> {
  const { status } = await ask(upstream, { url, timeoutMs: PROBE_TIMEOUT_MS, maxBytes: 0 })
  if (status >= 500) throw new Error('not ready')
}

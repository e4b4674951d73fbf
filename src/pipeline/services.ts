import type { AuditLog } from '../audit/log.ts'
import type { ExpiryWarnings } from '../auth/expiry-warnings.ts'
import type { KeySource } from '../auth/key-source.ts'
import type { Revocations } from '../auth/revocations.ts'
import type { VerifyToken } from '../auth/verify-token.ts'
import type { Config } from '../config/config.ts'
import type { CacheSalt } from '../firewall/cache-salt.ts'
import type { Clock } from '../ports/clock.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { Lockout } from '../ports/lockout.ts'
import type { StateStore } from '../ports/state-store.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Upstream } from '../ports/upstream.ts'
import type { AskProxy } from '../proxies/trusted-proxies.ts'
import type { LeaseKeeper } from '../quota/lease-keeper.ts'
import type { QuotaPlanner } from '../quota/plan.ts'
import type { UsageTotals } from '../quota/usage-totals.ts'
import type { Tracer } from '../tracing/tracer.ts'
import type { Validators } from '../validators/validators.ts'
import type { Admission } from './admission.ts'
import type { InputSizes } from './input-sizes.ts'
import type { PolicyBook } from './policy-book.ts'
import type { RequestMeter } from './request-meter.ts'
import type { RunningExchanges } from './running.ts'
import type { UpstreamPool } from './upstream-pool.ts'

/** What the stages work with: one set a gateway, shared by all requests. */
export interface Services {
  readonly config: Config
  readonly clock: Clock
  readonly hashing: Hashing
  readonly telemetry: Telemetry
  readonly meter: RequestMeter
  /** Undefined where no traces are sent. */
  readonly tracer: Tracer | undefined
  readonly store: StateStore
  /** By address. */
  readonly lockout: Lockout
  /** By the id of tokens with a good signature. */
  readonly tokenLockout: Lockout
  readonly upstream: Upstream
  readonly audit: AuditLog
  /** By name, whether a destination of the log is up to date; absent where this process sends it nowhere. */
  readonly forwarding?: { inTime(): Readonly<Record<string, boolean>> }
  readonly verifyToken: VerifyToken
  readonly revocations: Revocations
  readonly expiryWarnings: ExpiryWarnings
  readonly running: RunningExchanges
  /** By issuer, the gateway's own first. */
  readonly keys: ReadonlyMap<string, Pick<KeySource, 'keys'>>
  /** Undefined where none are configured. */
  readonly askProxy: AskProxy | undefined
  readonly policies: PolicyBook
  readonly planQuota: QuotaPlanner
  readonly inputSizes: InputSizes
  /** Renews what running requests hold of limits on requests at the same time. */
  readonly leases: LeaseKeeper
  readonly cacheSalt: CacheSalt
  readonly pool: UpstreamPool
  readonly admission: Admission
  /** Undefined where none are configured. */
  readonly validators: Validators | undefined
  /** Undefined where nobody can ask for them. */
  readonly totals: UsageTotals | undefined
  readonly hmac: { readonly key: Uint8Array; readonly keyId: string }
}

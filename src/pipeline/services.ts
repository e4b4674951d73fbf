import type { AuditLog } from '../audit/log.ts'
import type { VerifyToken } from '../auth/verify-token.ts'
import type { Config } from '../config/config.ts'
import type { Clock } from '../ports/clock.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { Lockout } from '../ports/lockout.ts'
import type { StateStore } from '../ports/state-store.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Upstream } from '../ports/upstream.ts'
import type { AskProxy } from '../proxies/trusted-proxies.ts'
import type { QuotaPlanner } from '../quota/plan.ts'
import type { Validators } from '../validators/validators.ts'
import type { PolicyBook } from './policy-book.ts'
import type { UpstreamPool } from './upstream-pool.ts'

/** What the stages work with: one set a gateway, shared by all requests. */
export interface Services {
  readonly config: Config
  readonly clock: Clock
  readonly hashing: Hashing
  readonly telemetry: Telemetry
  readonly store: StateStore
  readonly lockout: Lockout
  readonly upstream: Upstream
  readonly audit: AuditLog
  readonly verifyToken: VerifyToken
  /** Undefined where none are configured. */
  readonly askProxy: AskProxy | undefined
  readonly policies: PolicyBook
  readonly planQuota: QuotaPlanner
  readonly pool: UpstreamPool
  /** Undefined where none are configured. */
  readonly validators: Validators | undefined
  readonly hmac: { readonly key: Uint8Array; readonly keyId: string }
}

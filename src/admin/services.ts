import type { ReadTokenIssuer } from '../auth/token-issuer.ts'
import type { Services } from '../pipeline/services.ts'
import type { TokenRegistry } from '../ports/token-registry.ts'
import type { UsageTotals } from '../quota/usage-totals.ts'

/** What the admin API works with besides what the data path has. */
export interface AdminServices extends Services {
  readonly registry: TokenRegistry
  readonly totals: UsageTotals
  /** Undefined where tokens are not issued here. */
  readonly issuer: ReadTokenIssuer | undefined
  /** The URLs of model servers on which an action is in progress. */
  readonly busy: Set<string>
  /** All counters now, by name and labels as Prometheus writes them; undefined where nothing counts. */
  readonly counters: (() => ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>) | undefined
}

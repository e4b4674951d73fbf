import type { SentCheckpoint } from '../audit/checkpointer.ts'
import type { AuditSearch } from '../audit/search.ts'
import type { ReadTokenIssuer } from '../auth/token-issuer.ts'
import type { PageTitle } from '../checklist/pages.ts'
import type { Checklist } from '../checklist/report.ts'
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
  /** Counts a call of a token, by its id; milliseconds to wait where it has made too many, else 0. */
  readonly limitCalls: (tokenId: string) => Promise<number>
  readonly auditSearch: AuditSearch
  /** What of the log's head was signed, by place; empty where nothing is. */
  readonly checkpoints: () => readonly SentCheckpoint[]
  /** Looks at everything that the configuration names. Rejects with nothing but a bug. */
  readonly checklist: () => Promise<ChecklistRead>
  /** All counters now, by name and labels as Prometheus writes them; undefined where nothing counts. */
  readonly counters: (() => ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>) | undefined
}

/** The checklist, or why there is none: safe to print. */
export type ChecklistRead =
  | { readonly ok: true; readonly checklist: Checklist; readonly title: PageTitle }
  | { readonly ok: false; readonly reason: string }

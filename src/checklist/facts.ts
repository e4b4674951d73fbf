import type { Config } from '../config/config.ts'
import type { RedteamRun } from '../redteam/record.ts'

/** What was read, or why it could not be: one phrase. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

/** What a deployment shows of itself: its configuration in force, and what its files and its store say. */
export interface Facts {
  readonly nowMs: number
  readonly config: Config
  readonly audit: Read<AuditFacts>
  /** Every destination of the audit log. */
  readonly forwarding: Read<readonly ForwardingFacts[]>
  /** Every certificate that the configuration names. */
  readonly certificates: readonly CertificateFacts[]
  /** How many public keys there are for tokens; a URL is not asked. */
  readonly keys: Read<number>
  readonly tokens: Read<TokenFacts>
  readonly weights: readonly WeightsFacts[]
  readonly redteam: Read<RedteamRun>
  /** Undefined: nobody asked for the probe. */
  readonly egress: EgressFacts | undefined
}

export interface EgressFacts {
  readonly target: string
  /** `unclear`: refused by whom, or without an address to go to. */
  readonly state: 'open' | 'closed' | 'unclear'
  readonly detail: string
}

export interface AuditFacts {
  readonly file: string
  /** In the current file, up to the first bad one. */
  readonly records: number
  readonly bad: string | undefined
  /** The newest records, at most some hundred. */
  readonly newest: readonly Readonly<Record<string, unknown>>[]
  /** How many of their snippets the rules for records would still change. */
  readonly leakingSnippets: number
  /** The id of the HMAC secret in force. */
  readonly hmacKeyId: string
}

export interface ForwardingFacts {
  readonly name: string
  readonly kind: string
  /** Records that it lacks, and the age of the oldest. */
  readonly lagRecords: number
  readonly lagMs: number
  /** The age at which the configuration calls that late. */
  readonly warnAfterMs: number
  /** What is wrong with its position. */
  readonly fault: string | undefined
}

export interface CertificateFacts {
  /** The setting that names it. */
  readonly setting: string
  readonly file: string
  readonly validity: Read<{ readonly fromMs: number; readonly toMs: number }>
}

export interface TokenFacts {
  readonly live: number
  readonly longestMs: number
  /** Ids of live tokens that may both query and manage models. */
  readonly mixed: readonly string[]
}

export interface WeightsFacts {
  readonly dir: string
  /** What does not fit the manifest, or why it cannot be used; empty: all fits. */
  readonly problems: readonly string[]
  readonly sealed: string | undefined
  readonly worldWritable: boolean
  /** Whether contents were hashed, and not only names, sizes and modes compared. */
  readonly hashed: boolean
}

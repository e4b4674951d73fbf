import type { ErrorCode } from '../errors/catalogue.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { ClientCertificate } from '../ports/transport.ts'

/** `begun`: something is about to take effect; a record of how it ended follows. */
export type Outcome = 'begun' | 'served' | 'refused' | 'failed' | 'aborted'

/** What one rule found in one request: never the text it found. */
export interface GuardFinding {
  readonly stage: 'input' | 'output'
  readonly rule: string
  readonly action: string
  readonly count: number
}

/**
 * One request, as its caller's pipeline knows it. What is unknown is left out. No field may hold a raw prompt, a raw
 * completion or a credential.
 */
export interface AuditEntry {
  /** When the request arrived, in milliseconds since the Unix epoch. */
  readonly time: number
  readonly requestId: string
  readonly tokenId?: string | undefined
  readonly subject?: string | undefined
  readonly team?: string | undefined
  readonly app?: string | undefined
  readonly env?: string | undefined
  /** The caller's certificate. */
  readonly clientCert?: ClientCertificate | undefined
  readonly method: string
  readonly route: string
  readonly model?: string | undefined
  readonly upstream?: string | undefined
  /** What an administrator did, e.g. `tokens.issue`; absent in records of the data path. */
  readonly action?: string | undefined
  /** What it was done to, e.g. a token's id. */
  readonly target?: string | undefined
  /** The HTTP status that was sent. */
  readonly status: number
  readonly outcome: Outcome
  readonly errorCode?: ErrorCode | undefined
  /** Why it was refused or failed, for operators: what the caller is not told. */
  readonly reason?: string | undefined
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  readonly tokenSource?: 'upstream' | 'estimate' | undefined
  readonly latencyMs: number
  readonly firstByteMs?: number | undefined
  /** How long the request waited for a place at a model server. */
  readonly queueMs?: number | undefined
  readonly stream: boolean
  readonly promptHmac?: string | undefined
  readonly hmacKeyId?: string | undefined
  readonly guard: readonly GuardFinding[]
  /** Redacted, at most 200 UTF-16 units. */
  readonly outputSnippet?: string | undefined
}

/** Where a record stands in the chain. */
export interface Link {
  /** 1 for the first record, one more for each that follows, across files and restarts. */
  readonly seq: number
  /** The process that wrote it. */
  readonly instance: string
  /** The hash of the record before; `GENESIS` for the first. */
  readonly prev: string
  /** Of a record that tells an end: the `seq` of the one that told the beginning. */
  readonly begun?: number | undefined
}

/** The `prev` of the first record of a chain. */
export const GENESIS = '0'.repeat(64)

/** The longest line of the log, in UTF-16 units: what verifiers and readers need to buffer. */
export const MAX_LINE = 1 << 20

/** The same in bytes: a UTF-16 unit takes at most three of UTF-8. */
export const MAX_LINE_BYTES = 3 * MAX_LINE

/** From this length on, strings are cut. Rules come from the configuration, so it bounds the findings. */
const LONG_LINE = 1 << 15
const LONG_STRING = 256

/**
 * Builds one line and its hash. The line is the canonical JSON (RFC 8785) of the record; the hash is the SHA-256 of
 * that JSON without its `hash` member. So the record is serialised once, in two halves, with the hash spliced in
 * where its key sorts. About 1.5 µs.
 */
export function buildRecord(hashing: Hashing, entry: AuditEntry, link: Link): { line: string; hash: string } {
  let head = JSON.stringify(beforeHash(entry, link))
  let tail = JSON.stringify(afterHash(entry, link))
  // A lone surrogate (an escape, as `stringify` writes it) is not canonical JSON, and a field can be as long as what
  // a caller sent: both are rare, and mended here rather than looked for in every field.
  if (head.length + tail.length > LONG_LINE || head.includes('\\ud') || tail.includes('\\ud')) {
    head = mend(head)
    tail = mend(tail)
  }
  const before = head.slice(0, -1)
  const after = tail.slice(1)
  const hash = hashing.sha256(`${before},${after}`)
  return { line: `${before},"hash":"${hash}",${after}`, hash }
}

/** The members whose keys sort before `hash`, in order. `guard` is always there, so the half is never empty. */
function beforeHash(entry: AuditEntry, link: Link) {
  return {
    action: entry.action,
    app: entry.app,
    begun: link.begun,
    clientCert: entry.clientCert && { subject: entry.clientCert.subject, thumbprint: entry.clientCert.thumbprint },
    env: entry.env,
    errorCode: entry.errorCode,
    firstByteMs: round(entry.firstByteMs),
    guard: entry.guard.map(({ action, count, rule, stage }) => ({ action, count, rule, stage })),
  }
}

/** The members whose keys sort after `hash`, in order. */
function afterHash(entry: AuditEntry, link: Link) {
  return {
    hmacKeyId: entry.hmacKeyId,
    inputTokens: entry.inputTokens,
    instance: link.instance,
    latencyMs: round(entry.latencyMs),
    method: entry.method,
    model: entry.model,
    outcome: entry.outcome,
    outputSnippet: entry.outputSnippet,
    outputTokens: entry.outputTokens,
    prev: link.prev,
    promptHmac: entry.promptHmac,
    queueMs: round(entry.queueMs),
    reason: entry.reason,
    requestId: entry.requestId,
    route: entry.route,
    seq: link.seq,
    status: entry.status,
    stream: entry.stream,
    subject: entry.subject,
    target: entry.target,
    team: entry.team,
    time: isoTime(entry.time),
    tokenId: entry.tokenId,
    tokenSource: entry.tokenSource,
    upstream: entry.upstream,
  }
}

let knownSecond = Number.NaN
let knownText = ''

/** As `toISOString` writes it. The text of the current second is kept: making it costs as much as all other members. */
function isoTime(ms: number): string {
  if (!Number.isSafeInteger(ms)) return new Date(ms).toISOString()
  const second = Math.floor(ms / 1000)
  if (second !== knownSecond) {
    knownText = new Date(second * 1000).toISOString().slice(0, -'000Z'.length)
    knownSecond = second
  }
  return `${knownText}${String(1000 + ms - second * 1000).slice(1)}Z`
}

/** Milliseconds to the microsecond. */
function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1000) / 1000
}

function mend(json: string): string {
  return JSON.stringify(
    JSON.parse(json, (_key, value: unknown) =>
      typeof value === 'string' ? value.slice(0, LONG_STRING).toWellFormed() : value,
    ),
  )
}

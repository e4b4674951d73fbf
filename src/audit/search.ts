import { MAX_AUDIT_SEARCHES, MAX_SEARCH_CHARACTERS, MAX_SEARCH_MS } from '../config/limits.ts'
import type { AuditReader } from '../ports/audit-reader.ts'
import type { Clock } from '../ports/clock.ts'
import { type AuditQuery, createMatcher, type ReadBack } from './query.ts'

/** Part of what was asked for. */
export interface SearchPage {
  /** Newest first. */
  readonly records: readonly ReadBack[]
  /** There may be more before the record of this `seq`: what the next page is asked with. */
  readonly next: number | undefined
}

/** Quotes inside strings are escaped, so this is the member itself. */
const SEQ = /"seq":(\d{1,15})[,}]/

/**
 * Looks through the log beside requests: a page ends when it is full, when it is as long as may be held in memory, or when its
 * time is over, whichever comes first. So a page may be short, or empty, and still have a `next`.
 */
export class AuditSearch {
  readonly #reader: AuditReader
  readonly #clock: Clock
  #running = 0

  constructor(reader: AuditReader, clock: Clock) {
    this.#reader = reader
    this.#clock = clock
  }

  /**
   * @param before only records before that of this `seq`
   * @returns undefined where too many look already
   */
  async find(query: AuditQuery, limit: number, before?: number): Promise<SearchPage | undefined> {
    if (this.#running >= MAX_AUDIT_SEARCHES) return undefined
    this.#running += 1
    try {
      return await this.#look(query, limit, before)
    } finally {
      this.#running -= 1
    }
  }

  async #look(query: AuditQuery, limit: number, before = Number.POSITIVE_INFINITY): Promise<SearchPage> {
    const { since, until } = query
    const matcher = createMatcher(query)
    const deadline = this.#clock.monotonic() + MAX_SEARCH_MS
    const records: ReadBack[] = []
    let characters = 0
    let reached: number | undefined
    const range = { since, until, before: Number.isFinite(before) ? before : undefined }
    for await (const lines of this.#reader.newestFirst(range)) {
      for (const line of lines) {
        const record = matcher(line)
        const seq = Number(record?.['seq'])
        // A block that is read may begin behind the one that was asked for.
        if (record === undefined || !(seq < before)) continue
        records.push(record)
        characters += line.length
        if (records.length === limit || characters > MAX_SEARCH_CHARACTERS) return { records, next: seq }
      }
      reached = oldestOf(lines) ?? reached
      // Not before it has got on: whoever asks again would be where they were.
      if (reached !== undefined && reached < before && this.#clock.monotonic() > deadline) {
        return { records, next: reached }
      }
    }
    return { records, next: undefined }
  }
}

/** Statements of what was deleted have no number. */
function oldestOf(lines: readonly string[]): number | undefined {
  const oldest = lines.findLast(line => SEQ.test(line))
  return oldest === undefined ? undefined : Number(SEQ.exec(oldest)?.[1])
}

/** Which records of a log are worth reading. May be read beyond: whoever asks looks at each. */
export interface AuditRange {
  /** Made at this time or later, in milliseconds since the epoch. */
  readonly since?: number | undefined
  /** Made before this time. */
  readonly until?: number | undefined
  /** Before the record of this `seq`. */
  readonly before?: number | undefined
}

/** The log of this instance, read back. */
export interface AuditReader {
  /**
   * The complete lines of a range, newest first, across rotated files, as they are at the first read or later. In batches
   * that are small, so that requests get their turn between two; in constant memory. Rejects where a file cannot be read.
   */
  newestFirst(range: AuditRange): AsyncIterable<readonly string[]>
}

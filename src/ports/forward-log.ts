/** A record of the audit log, as it stands there. */
export interface LoggedRecord {
  readonly seq: number
  /** The record's `hash`: the same wherever and however often the record is sent, and no other record's. */
  readonly id: string
  /** Without its line end. */
  readonly line: string
  /** Where the line ends, line end included: bytes from the beginning of its file. */
  readonly end: number
  /** Records that should stand before it and are not in the log. */
  readonly missing: number
}

/** The last record that a destination has. */
export interface Position {
  readonly seq: number
  readonly id: string
  /** Where it ended in its file when it was read: a hint. `seq` and `id` say where it is. */
  readonly end: number
}

export interface ReadLimits {
  readonly records: number
  readonly bytes: number
  /** The last record that may be read, by its `seq`. */
  readonly upTo: number
}

/**
 * What stands behind a position, and whether that is all there is. Not `known`: this log neither holds that record nor goes on
 * behind it.
 */
export type Read =
  | { readonly known: true; readonly records: readonly LoggedRecord[]; readonly atEnd: boolean }
  | { readonly known: false }

/** How far a destination is behind the log. */
export interface Lag {
  readonly records: number
  readonly bytes: number
  /** Age of the oldest record that it lacks. */
  readonly seconds: number
}

/** The files of one audit log, read in order, across those that follow each other. Not to be used twice at the same time. */
export interface ForwardLog {
  /**
   * The records behind a position, or from the oldest on; none at the end of the log. At least one record where there is
   * one, whatever its size. Rejects when the disk fails.
   */
  read(after: Position | undefined, limits: ReadLimits): Promise<Read>
  /** Rejects when the disk fails. */
  lag(after: Position | undefined): Promise<Lag>
  close(): Promise<void>
}

/** Where a destination's position is kept, for one process at a time. */
export interface PositionPlace {
  /**
   * Takes hold of the place and reads it. `undefined`: nothing was ever sent. Rejects, with a message that is safe to print,
   * when another process has it or the disk fails.
   */
  open(): Promise<
    { readonly ok: true; readonly position: Position | undefined } | { readonly ok: false; readonly reason: string }
  >
  /** Durable when it resolves. */
  save(position: Position): Promise<void>
  /** Notes what a destination will not take. Durable when it resolves. */
  note(refusal: Refusal): Promise<void>
  close(): Promise<void>
}

/** Records that a destination refused for good, or that were gone before it had them. */
export interface Refusal {
  readonly from: number
  readonly to: number
  /** How many of these. */
  readonly records: number
  /** Of a single record. */
  readonly id?: string
  readonly reason: string
}

/** Where signed heads of the audit log are kept: somewhere that whoever can rewrite the log cannot. */
export interface CheckpointPlace {
  readonly kind: 'file' | 'redis' | 'http'
  /** Safe to print. */
  readonly name: string
  /**
   * Adds one signed note behind those that are there. Resolves when the place has it; rejects, at the latest soon after
   * the signal, with a message that is safe to print. Whether it is there is then unknown; a repeat does no harm.
   */
  append(note: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Where audit lines become durable. Lines are appended in the order of the calls. */
export interface AuditSink {
  /** The last complete line written before this process, or undefined in a new log. Called once, before `append`. */
  lastLine(): Promise<string | undefined>
  /**
   * Appends one line (without its line end) and resolves when it would survive the loss of power. Waiters are
   * committed in groups. Rejects, within a deadline, when the line could not be made durable. From then on every later
   * line is rejected too, since it is chained to this one, until `ready()` has resolved to true; by then whatever was
   * written of the rejected lines has been taken back. `maxWaitMs`: nobody waits for this line, so it may be kept back for so
   * long, to go with a group that others wait for.
   */
  append(line: string, maxWaitMs?: number): Promise<void>
  /** Resolves to whether a line could be written now; tries to repair what failed. Has a deadline. Never rejects. */
  ready(): Promise<boolean>
  /** Commits what is pending and closes. */
  close(): Promise<void>
}

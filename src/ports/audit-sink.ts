/** Where audit lines become durable. Lines are appended in the order of the calls. */
export interface AuditSink {
  /** The last complete line written before this process, or undefined in a new log. Called once, before `append`. */
  lastLine(): Promise<string | undefined>
  /**
   * Appends one line (without its line end) and resolves when it would survive the loss of power. Waiters are
   * committed in groups. Rejects when the line could not be made durable; the sink then keeps refusing until a write
   * works again.
   */
  append(line: string): Promise<void>
  /** Resolves to whether a line could be written now. Never rejects. */
  ready(): Promise<boolean>
  /** Commits what is pending and closes. */
  close(): Promise<void>
}

/** Remembers authentication failures by client address, or by token id, so that guessing is slow. */
export interface Lockout {
  /** Milliseconds for which `name` is still locked out; 0 when it is not. Answers from memory, at once. */
  lockedForMs(name: string): number
  /** Records one failure. Never rejects: where the store is down, this instance's memory counts on its own. */
  failed(name: string): Promise<void>
}

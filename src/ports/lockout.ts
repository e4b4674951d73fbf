/** Remembers authentication failures by client address, so that guessing is slow. */
export interface Lockout {
  /** Milliseconds for which `address` is still locked out; 0 when it is not. Answers from memory, at once. */
  lockedForMs(address: string): number
  /** Records one failure. Never rejects: where the store is down, this instance's memory counts on its own. */
  failed(address: string): Promise<void>
}

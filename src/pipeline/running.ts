import type { Revocations } from '../auth/revocations.ts'
import type { Exchange } from './exchange.ts'

/**
 * The exchanges whose caller is known and whose record is not yet written. A request costs one addition and one removal;
 * they are looked through only when tokens were revoked.
 */
export class RunningExchanges {
  readonly #running = new Set<Exchange>()

  add(exchange: Exchange): void {
    this.#running.add(exchange)
  }

  remove(exchange: Exchange): void {
    this.#running.delete(exchange)
  }

  /** Ends those of revoked tokens, wherever they are on their way. */
  endRevoked(revocations: Revocations): void {
    for (const exchange of this.#running) {
      if (exchange.principal && revocations.isRevoked(exchange.principal)) exchange.revoke()
    }
  }
}

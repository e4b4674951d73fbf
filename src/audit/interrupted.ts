import type { CanonicalLine } from './canonical-line.ts'

/** A request that was begun and of whose end there is no record. */
export interface Interrupted {
  /** Of the record that says it was begun. */
  readonly seq: number
  readonly requestId: string
  readonly time: string
}

/** Requests without an end, as far as was read. */
export interface OpenRequests {
  /** Another process has gone on since: these will never have an end. */
  readonly interrupted: number
  /** Of the last process in the log: interrupted if it is gone, in progress while it runs. */
  readonly open: number
  /** Those of both, the first of them. */
  readonly requests: readonly Interrupted[]
}

/** Told of by name: more would be a list that nobody reads. */
const MAX_NAMED = 1000
/** Open requests of one process that are remembered: none serves more at once. */
const MAX_OPEN = 100_000

/** Pairs the records of begun requests with those of their ends, which name them by `seq`. Memory is bounded. */
export class InterruptedRequests {
  #instance = ''
  #interrupted = 0
  readonly #named: Interrupted[] = []
  /** By `seq`, in order. */
  readonly #open = new Map<number, Interrupted>()

  /** Takes the record at `seq`, which is intact. */
  add(line: CanonicalLine, seq: number): void {
    if (!line.is('instance', this.#instance)) {
      this.#giveUp()
      this.#instance = line.text('instance')
    }
    if (line.is('outcome', 'begun')) {
      if (this.#open.size < MAX_OPEN) {
        this.#open.set(seq, { seq, requestId: line.text('requestId'), time: line.text('time') })
      }
    } else if (line.has('begun')) {
      this.#open.delete(line.count('begun'))
    }
  }

  result(): OpenRequests {
    const requests = [...this.#named, ...this.#open.values()].slice(0, MAX_NAMED)
    return { interrupted: this.#interrupted, open: this.#open.size, requests }
  }

  /** A process has taken over from the one whose requests are open. */
  #giveUp(): void {
    this.#interrupted += this.#open.size
    for (const request of this.#open.values()) if (this.#named.length < MAX_NAMED) this.#named.push(request)
    this.#open.clear()
  }
}

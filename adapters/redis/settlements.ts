import type { RedisClient } from './client.ts'
import { numberWords, utf8Word, word } from './protocol.ts'
import { SETTLE } from './scripts.ts'

/** How long a settled reservation is remembered, so that repeating its calls changes nothing. Covers any retry. */
export const SETTLED_RECORD_WORD = word(30_000)

/** Redis does nothing else while it settles those of one call. */
const MAX_TOGETHER = 64

/** Reservations of one tenant that are settled by one call. */
interface Group {
  /** Of the first: it tells Redis Cluster where the script runs. */
  readonly key: string
  count: number
  keys: string
  amounts: string
  words: number
  readonly done: PromiseWithResolvers<void>
}

/** Settles in one call what one turn of the event loop brings: a call costs more than what it says. Nobody waits for it. */
export class Settlements {
  readonly #client: RedisClient
  /** By tenant. */
  #groups = new Map<string, Group>()

  constructor(client: RedisClient) {
    this.#client = client
  }

  /** Resolves when the reservation is settled; rejects as `RedisClient.run`, even where only another one of its group failed. */
  add(tenant: string, key: string, amounts: readonly number[]): Promise<void> {
    if (this.#groups.size === 0) setImmediate(this.send)
    let group = this.#groups.get(tenant)
    if (!group || group.count === MAX_TOGETHER) {
      if (group) this.#settle(group)
      group = { key, count: 0, keys: '', amounts: '', words: 2, done: Promise.withResolvers() }
      this.#groups.set(tenant, group)
    }
    group.count++
    group.keys += utf8Word(key)
    group.amounts += word(amounts.length) + numberWords(amounts)
    group.words += 2 + amounts.length
    return group.done.promise
  }

  /** Sends what has been added and not sent. */
  readonly send = (): void => {
    const groups = this.#groups
    this.#groups = new Map()
    for (const group of groups.values()) this.#settle(group)
  }

  #settle({ key, count, keys, amounts, words, done }: Group): void {
    const text = word(count) + keys + SETTLED_RECORD_WORD + amounts
    this.#client.evaluate(SETTLE, { key, words, text }).then(() => done.resolve(), done.reject)
  }
}

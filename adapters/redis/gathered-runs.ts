import { StoreUnavailableError } from '../../src/ports/state-store.ts'
import { failed, type RedisClient } from './client.ts'
import { word } from './protocol.ts'
import type { Script } from './scripts.ts'

/** Redis does nothing else while it runs those of one call. */
const MAX_TOGETHER = 32

/** What one run is given, as the Redis protocol writes it. */
export interface Run {
  readonly keys: string
  readonly keyCount: number
  /** One word. */
  readonly value: string
}

/** Runs that go in one call. */
interface Group {
  /** The first key: it tells Redis Cluster where the script runs. */
  readonly key: string
  keys: string
  keyCount: number
  values: string
  readonly members: Member[]
}

interface Member {
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: unknown) => void
  readonly onLate: (() => void) | undefined
}

/**
 * Runs a script once for all that one turn of the event loop asks of it, because a call costs more than what it says. The
 * script runs over what it is given, one run behind the other, and replies with a list: the reply of each, or a text where
 * one has failed.
 */
export class GatheredRuns {
  readonly #client: RedisClient
  readonly #script: Script
  readonly #schedule: (send: () => void) => void
  /** By tenant, whose keys are in one slot of a cluster. */
  #groups = new Map<string, Group>()

  /** @param schedule calls back once, when what has been gathered is to be sent */
  constructor(client: RedisClient, script: Script, schedule: (send: () => void) => void) {
    this.#client = client
    this.#script = script
    this.#schedule = schedule
  }

  /** The reply to this run; rejects and calls `onLate` as `RedisClient.run` does. `key` is the first of its keys. */
  run(tenant: string, key: string, run: Run, onLate?: () => void): Promise<unknown> {
    if (this.#groups.size === 0) this.#schedule(this.send)
    let group = this.#groups.get(tenant)
    if (group?.members.length === MAX_TOGETHER) void this.#call(group)
    if (!group || group.members.length === MAX_TOGETHER) {
      group = { key, keys: '', keyCount: 0, values: '', members: [] }
      this.#groups.set(tenant, group)
    }
    group.keys += run.keys
    group.keyCount += run.keyCount
    group.values += run.value
    const { members } = group
    return new Promise((resolve, reject) => members.push({ resolve, reject, onLate }))
  }

  /** Sends what has been gathered. */
  readonly send = (): void => {
    const groups = this.#groups
    if (groups.size === 0) return
    this.#groups = new Map()
    for (const group of groups.values()) void this.#call(group)
  }

  async #call({ key, keys, keyCount, values, members }: Group): Promise<void> {
    const input = { key, words: 1 + keyCount + members.length, text: word(keyCount) + keys + values }
    const onLate = (): void => {
      for (const member of members) member.onLate?.()
    }
    try {
      answer(members, await this.#client.evaluate(this.#script, input, onLate))
    } catch (error) {
      for (const { reject } of members) reject(error)
    }
  }
}

const decoder = new TextDecoder()

function answer(members: readonly Member[], replies: unknown): void {
  const list = Array.isArray(replies) ? (replies as readonly unknown[]) : []
  for (let at = 0; at < members.length; at++) {
    const { resolve, reject } = members[at] as Member
    const reply = list[at]
    if (reply === undefined) reject(new TypeError('a script answered something else than a list of replies'))
    else if (reply instanceof Uint8Array) reject(new StoreUnavailableError(failed(new Error(decoder.decode(reply)))))
    else resolve(reply)
  }
}

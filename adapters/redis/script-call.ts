import { Command } from 'ioredis'
import type { Script } from './scripts.ts'

/** What a script is run on, as the Redis protocol writes it, but for the script itself. */
export interface ScriptInput {
  /** The first key: it tells Redis Cluster where the script runs. */
  readonly key: string
  /** How many words `text` has. */
  readonly words: number
  readonly text: string
}

/**
 * A run of a script, written once as what goes over the wire: ioredis would look at each of two dozen arguments four
 * times. It has no time-out of its own: `RedisClient.run` decides when it is given up.
 */
export class ScriptCall extends Command {
  readonly #key: string
  readonly #text: string

  /** `whole`: with the script's text (EVAL), for a server that does not know it by its digest (EVALSHA). */
  constructor(script: Script, input: ScriptInput, whole = false) {
    super(whole ? 'eval' : 'evalsha', NO_ARGUMENTS)
    this.#key = input.key
    this.#text = `*${input.words + 2}\r\n${whole ? script.eval : script.evalsha}${input.text}`
  }

  override toWritable(): string {
    return this.#text
  }

  override getKeys(): string[] {
    return [this.#key]
  }

  override setTimeout(): void {}
}

const NO_ARGUMENTS: string[] = []

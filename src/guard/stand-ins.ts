import { MAX_STAND_INS } from '../config/limits.ts'
import { label } from './replacement.ts'
import type { RuleDefinition } from './rule.ts'

const BRACKETED = /\[[A-Z0-9_]+\]/g

/**
 * What one request's values are called on their way to the model: `[EMAIL_1]`. The same value has the same stand-in in every
 * text of the request, and no stand-in is what the request says by itself. There are `MAX_STAND_INS` at most: a request that is
 * `full` is to be refused, and in no case shows a value that came behind them.
 */
export class StandIns {
  /** A value came for which no stand-in was left. */
  full = false
  private readonly byValue = new Map<string, string>()
  private readonly byStandIn = new Map<string, string>()
  /** By rule: the number that was given last. */
  private readonly numbers = new Map<string, number>()
  private readonly taken: ReadonlySet<string>

  /** `taken`: what the request holds already, by `bracketedIn`. */
  constructor(taken: ReadonlySet<string>) {
    this.taken = taken
  }

  /** Stand-ins that were given, with what they stand for. */
  get values(): ReadonlyMap<string, string> {
    return this.byStandIn
  }

  /** What stands for the value, to the letter as it was sent. */
  of(rule: RuleDefinition, value: string): string {
    const known = this.byValue.get(value)
    if (known !== undefined) return known
    if (this.byValue.size >= MAX_STAND_INS) {
      this.full = true
      return label(rule)
    }
    const { name } = rule
    let number = this.numbers.get(name) ?? 0
    let standIn: string
    do standIn = `[${name}_${++number}]`
    while (this.taken.has(standIn))
    this.numbers.set(name, number)
    this.byValue.set(value, standIn)
    this.byStandIn.set(standIn, value)
    return standIn
  }
}

/** All that has the form of a stand-in in the text; added to `found`, if that is given. */
export function bracketedIn(text: string, found: Set<string> = new Set()): Set<string> {
  if (text.includes('[')) for (const [bracketed] of text.matchAll(BRACKETED)) found.add(bracketed)
  return found
}

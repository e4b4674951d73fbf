import type { PrecedingText } from './preceding-text.ts'
import type { RuleDefinition } from './rule.ts'
import type { Terms } from './terms.ts'

interface Check {
  readonly has: ((match: string) => boolean) | undefined
  readonly begins: RuleDefinition['begins']
  readonly plausible: RuleDefinition['plausible']
  readonly validate: RuleDefinition['validate']
}

/**
 * What tells matches from texts of their form, for all rules of a set. Many such texts of many rules may begin at one place:
 * what a rule can say of the place alone is asked once.
 */
export class Checks {
  /** By rule; undefined where the form says all. */
  private readonly checks: readonly (Check | undefined)[]
  /** By rule: the number of the place of which it was asked last, and what it said. */
  private readonly askedAt: Float64Array
  private readonly answers: Uint8Array
  private place = 0
  private preceding: PrecedingText | undefined
  private text = ''
  private from = 0
  private before: string | undefined

  constructor(rules: readonly RuleDefinition[], terms: readonly (Terms | undefined)[]) {
    this.checks = rules.map(({ begins, plausible, validate }, rule) => {
      const has = terms[rule]?.has
      return has || begins || validate ? { has, begins, plausible, validate } : undefined
    })
    this.askedAt = new Float64Array(rules.length)
    this.answers = new Uint8Array(rules.length)
  }

  /** What is asked from now on is about texts that begin at `from`. */
  at(preceding: PrecedingText, text: string, from: number): void {
    this.place++
    this.preceding = preceding
    this.text = text
    this.from = from
    this.before = undefined
  }

  /** Whether the text up to `to`, which has the rule's form, is a match. To be asked of the longest first. */
  accept(rule: number, to: number): boolean {
    const check = this.checks[rule]
    if (check === undefined) return true
    if (check.begins && this.askedAt[rule] === this.place && this.answers[rule] === 0) return false
    const match = this.text.slice(this.from, to)
    if (check.has && !check.has(match)) return false
    if (check.plausible && !check.plausible(match)) return false
    if (!check.validate && !check.begins) return true
    this.before ??= this.preceding?.before(this.text, this.from) ?? ''
    if (check.begins && this.askedAt[rule] !== this.place) {
      const answer = check.begins(match, this.before)
      this.askedAt[rule] = this.place
      this.answers[rule] = answer ? 1 : 0
      if (!answer) return false
    }
    return check.validate === undefined || check.validate(match, this.before)
  }
}

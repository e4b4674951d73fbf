import type { PrecedingText } from './preceding-text.ts'
import type { RuleDefinition } from './rule.ts'
import type { Terms } from './terms.ts'

interface Check {
  readonly has: ((match: string) => boolean) | undefined
  readonly begins: RuleDefinition['begins']
  readonly validate: RuleDefinition['validate']
}

/**
 * What tells matches from texts of their form, for all rules of a set. Many such texts of many rules may begin at one place:
 * what a rule can say of the place alone is asked once.
 */
export class Checks {
  /** By rule; undefined where the form says all. */
  private readonly checks: readonly (Check | undefined)[]
  /** By rule: the number of the place of which it was asked last, and of that to which it said no. */
  private readonly askedAt: Float64Array
  private readonly deadAt: Float64Array
  private place = 0
  private preceding: PrecedingText | undefined
  private text = ''
  private from = 0
  private before: string | undefined

  constructor(rules: readonly RuleDefinition[], terms: readonly (Terms | undefined)[]) {
    this.checks = rules.map(({ begins, validate }, rule) => {
      const has = terms[rule]?.has
      return has || begins || validate ? { has, begins, validate } : undefined
    })
    this.askedAt = new Float64Array(rules.length)
    this.deadAt = new Float64Array(rules.length)
  }

  /** What is asked from now on is about texts that begin at `from`. */
  at(preceding: PrecedingText, text: string, from: number): void {
    this.place++
    this.preceding = preceding
    this.text = text
    this.from = from
    this.before = undefined
  }

  /** The text is no longer needed: what all streams share must not keep what one of them holds. */
  forget(): void {
    this.text = ''
    this.before = undefined
    this.preceding = undefined
  }

  /** Whether the text up to `to`, which has the rule's form, is a match. To be asked of the longest first. */
  accept(rule: number, to: number): boolean {
    if (this.deadAt[rule] === this.place) return false
    const check = this.checks[rule]
    if (check === undefined) return true
    const match = this.text.slice(this.from, to)
    if (check.has && !check.has(match)) return false
    if (!check.validate && !check.begins) return true
    this.before ??= this.preceding?.before(this.text, this.from) ?? ''
    if (check.begins && this.askedAt[rule] !== this.place) {
      this.askedAt[rule] = this.place
      if (!check.begins(match, this.before)) {
        this.deadAt[rule] = this.place
        return false
      }
    }
    return check.validate === undefined || check.validate(match, this.before)
  }
}

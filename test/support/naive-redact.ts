import { fold, rawEnd } from '../../src/guard/fold.ts'
import type { RuleDefinition } from '../../src/guard/rule.ts'

/** A finding of the reference, in UTF-16 offsets of the raw text, end-exclusive. */
export interface NaiveFinding {
  readonly rule: string
  readonly start: number
  readonly end: number
}

/** No pattern of an ordinary rule, and no opening of a tail rule, may match more than this. */
const LONGEST = 1024

/** `validate` sees this many folded characters in front of the match. */
const BEFORE = 64

interface NaiveRule {
  readonly rule: RuleDefinition
  /** Whether the rule matches anything at `lastIndex`: a quick no for most positions. */
  readonly sticky: RegExp
  /** The pattern from the first to the last character of the text given. */
  readonly whole: RegExp
  readonly notAfter: RegExp | undefined
  readonly notBefore: RegExp | undefined
  readonly body: RegExp | undefined
}

const compiled = new WeakMap<RuleDefinition, NaiveRule>()

/**
 * What the guard has to find, computed in the plainest way: fold the text; at each position, from the left, try every rule
 * and every end, the longest first and then the rule declared first; what a boundary or validator rejects does not count;
 * after a match go on behind it, otherwise one character later.
 */
export function naiveFindings(text: string, rules: readonly RuleDefinition[]): NaiveFinding[] {
  const { text: folded, starts } = fold(text)
  const naive = rules.map(compile)
  const findings: NaiveFinding[] = []
  let at = 0
  while (at < folded.length) {
    const found = tailAt(folded, at, naive) ?? longestAt(folded, at, naive)
    if (found === undefined) {
      at++
    } else {
      findings.push({ rule: found.rule.name, start: starts?.[at] ?? at, end: rawEnd(text, starts, found.end) })
      at = found.end
    }
  }
  return findings
}

/** The text with every finding replaced by its label. */
export function naiveRedact(text: string, rules: readonly RuleDefinition[]): string {
  return naiveReplace(text, rules, rule => `[${rule}_REDACTED]`)
}

/** The text with every finding replaced as told. */
export function naiveReplace(
  text: string,
  rules: readonly RuleDefinition[],
  replace: (rule: string, value: string) => string,
): string {
  let replaced = ''
  let at = 0
  for (const { rule, start, end } of naiveFindings(text, rules)) {
    replaced += text.slice(at, start) + replace(rule, text.slice(start, end))
    at = end
  }
  return replaced + text.slice(at)
}

interface Found {
  readonly rule: RuleDefinition
  readonly end: number
}

/** The tail rule whose pattern is complete first, run on over its body: it wins over every ordinary match. */
function tailAt(text: string, at: number, rules: readonly NaiveRule[]): Found | undefined {
  const tails = rules.filter(({ body, ...rule }) => body !== undefined && mayStart(text, at, rule))
  for (let from = at + 1; from <= Math.min(text.length, at + LONGEST); from++) {
    const winner = tails.find(({ whole }) => whole.test(text.slice(at, from)))
    if (winner !== undefined) return { rule: winner.rule, end: runOn(text, from, winner) }
  }
  return undefined
}

/** Over the characters of `body`, through the first whole `end` among them. */
function runOn(text: string, from: number, { rule, body }: NaiveRule): number {
  const last = rule.tail?.end
  let at = from
  while (at < text.length && body?.test(text.charAt(at))) {
    at++
    if (last !== undefined && text.slice(from, at).endsWith(last)) break
  }
  return at
}

/** The longest match that its boundaries and validator allow; the rule declared first among equals. */
function longestAt(text: string, at: number, rules: readonly NaiveRule[]): Found | undefined {
  const open = rules.filter(rule => rule.body === undefined && mayStart(text, at, rule))
  if (open.length === 0) return undefined
  const before = text.slice(Math.max(0, at - BEFORE), at)
  for (let end = Math.min(text.length, at + LONGEST); end > at; end--) {
    const match = text.slice(at, end)
    for (const { rule, whole, notBefore } of open) {
      if (!whole.test(match)) continue
      if (end < text.length && notBefore?.test(text.charAt(end))) continue
      if (rule.validate === undefined || rule.validate(match, before)) return { rule, end }
    }
  }
  return undefined
}

function mayStart(text: string, at: number, { sticky, notAfter }: Pick<NaiveRule, 'sticky' | 'notAfter'>): boolean {
  if (at > 0 && notAfter?.test(text.charAt(at - 1))) return false
  sticky.lastIndex = at
  return sticky.test(text)
}

function compile(rule: RuleDefinition): NaiveRule {
  const known = compiled.get(rule)
  if (known !== undefined) return known
  const flags = rule.caseSensitive ? '' : 'i'
  const single = (characters: string | undefined) =>
    characters === undefined ? undefined : new RegExp(`^(?:${characters})$`, flags)
  const pattern = rule.pattern ?? (rule.terms ?? []).map(term => RegExp.escape(fold(term).text)).join('|')
  const naive: NaiveRule = {
    rule,
    sticky: new RegExp(pattern, `${flags}y`),
    whole: new RegExp(`^(?:${pattern})$`, flags),
    notAfter: single(rule.notAfter),
    notBefore: single(rule.notBefore),
    body: single(rule.tail?.body),
  }
  compiled.set(rule, naive)
  return naive
}

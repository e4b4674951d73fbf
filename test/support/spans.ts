import type { RuleDefinition } from '../../src/guard/rule.ts'
import { compileRules, type RuleSet } from '../../src/guard/rule-set.ts'
import { scanText } from '../../src/guard/scanner.ts'

/** A stretch of a text, in UTF-16 offsets, end-exclusive. */
export interface Span {
  readonly type: string
  readonly start: number
  readonly end: number
}

/** The rules as the guard runs them; throws if one is refused. */
export function compiled(rules: readonly RuleDefinition[]): RuleSet {
  const result = compileRules(rules)
  if (!result.ok) throw new Error(result.faults.map(({ rule, reason }) => `${rule}: ${reason}`).join('\n'))
  return result.ruleSet
}

/** What the guard's scanner replaces in a text. Ends are read off the replaced text: open-ended matches tell theirs late. */
export function spansOf(text: string, rules: RuleSet): Span[] {
  const starts: { type: string; start: number }[] = []
  const pieces = scanText(rules, text, ({ rule, start }) => {
    starts.push({ type: rule.name, start })
    return '\u0001\u0001'
  }).split('\u0001\u0001')
  return starts.map(({ type, start }, index) => {
    const next = starts[index + 1]?.start ?? text.length
    return { type, start, end: next - (pieces[index + 1]?.length ?? 0) }
  })
}

export interface Score {
  found: number
  missed: number
  wrong: number
}

/** How well two stretches coincide: the length both share over the length they cover together. */
function overlap(one: Span, other: Span): number {
  const shared = Math.min(one.end, other.end) - Math.max(one.start, other.start)
  return shared <= 0 ? 0 : shared / (Math.max(one.end, other.end) - Math.min(one.start, other.start))
}

/**
 * Adds one text's result to the scores by type. A span counts as found from an overlap of 0.75 with one of its type. Returns
 * what was missed, and what was found wrongly.
 */
export function addScores<S extends Span, F extends Span>(
  scores: Map<string, Score>,
  gold: readonly S[],
  found: readonly F[],
): { missed: S[]; wrong: F[] } {
  const of = (type: string): Score => {
    const score = scores.get(type) ?? { found: 0, missed: 0, wrong: 0 }
    scores.set(type, score)
    return score
  }
  const left = new Set(found)
  const missed: S[] = []
  for (const span of gold) {
    const hit = [...left].find(other => other.type === span.type && overlap(span, other) >= 0.75)
    if (hit === undefined) {
      of(span.type).missed++
      missed.push(span)
    } else {
      left.delete(hit)
      of(span.type).found++
    }
  }
  for (const span of left) of(span.type).wrong++
  return { missed, wrong: [...left] }
}

/** Precision, recall and F1 of one score, or of several together. */
export function rates(...scores: readonly Score[]): { precision: number; recall: number; f1: number } {
  const sum = (pick: (score: Score) => number) => scores.reduce((total, score) => total + pick(score), 0)
  const found = sum(score => score.found)
  const precision = found / Math.max(1, found + sum(score => score.wrong))
  const recall = found / Math.max(1, found + sum(score => score.missed))
  return { precision, recall, f1: (2 * precision * recall) / Math.max(1e-9, precision + recall) }
}

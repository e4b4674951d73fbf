import { fold } from '../guard/fold.ts'
import type { RuleDefinition } from '../guard/rule.ts'
import { isSaid, passingPhrases } from '../guard/validators/context.ts'
import type { GuardRuleConfig } from './config.ts'

/** What words are made of, in scripts that part them: a term in Chinese is found inside a run of Chinese. */
const WORD = '[\\wÀ-ÖØ-öø-ɏͰ-ԯ]'
const IS_WORD = /^[\wÀ-ÖØ-öø-ɏͰ-ԯ]$/

/**
 * What the guard is to compile for a rule of the company's own. A dictionary of whole words may be several definitions of
 * one name: `.acme.example` begins with a sign, so that a letter may stand in front of it.
 */
export function definitionsOf(rule: GuardRuleConfig): RuleDefinition[] {
  const { name, pattern, terms, caseSensitive, context, replacement } = rule
  const said = context && passingPhrases(...context)
  const common = {
    name,
    group: 'custom' as const,
    description: terms === undefined ? 'A pattern of this deployment.' : 'A dictionary of this deployment.',
    caseSensitive,
    ...(said !== undefined && {
      begins: (_: string, before: string) => isSaid(before, said),
      validate: (_: string, before: string) => isSaid(before, said),
    }),
    ...(replacement !== undefined && { replacement }),
    examples: [],
    counterExamples: [],
  }
  if (terms === undefined) return [{ ...common, pattern: pattern ?? '', ...edges(rule, true, true) }]
  const folded = terms.map(term => fold(term).text)
  if (!rule.wholeWord) return [{ ...common, terms: folded, ...edges(rule, true, true) }]
  return partsOf(folded).map(part => ({ ...common, terms: part.terms, ...edges(rule, part.starts, part.ends) }))
}

/** The boundaries of matches that start, or end, with what words are made of. */
function edges({ wholeWord, notAfter, notBefore }: GuardRuleConfig, starts: boolean, ends: boolean) {
  const after = wholeWord && starts ? WORD : notAfter
  const before = wholeWord && ends ? WORD : notBefore
  return { ...(after !== undefined && { notAfter: after }), ...(before !== undefined && { notBefore: before }) }
}

interface Part {
  readonly starts: boolean
  readonly ends: boolean
  readonly terms: string[]
}

/** The terms apart by whether they start and end with a word. */
function partsOf(terms: readonly string[]): Part[] {
  const parts = new Map<string, Part>()
  for (const term of terms) {
    const starts = IS_WORD.test(term.charAt(0))
    const ends = IS_WORD.test(term.charAt(term.length - 1))
    const key = `${starts} ${ends}`
    const part = parts.get(key) ?? { starts, ends, terms: [] }
    parts.set(key, part)
    part.terms.push(term)
  }
  return [...parts.values()]
}

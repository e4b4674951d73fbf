import { Alphabet } from './alphabet.ts'
import { Automaton } from './automaton.ts'
import { Checks } from './checks.ts'
import { Nfa } from './nfa.ts'
import { type Parsed, type Pattern, parseClass, parsePattern, SetPool, type UnitSet } from './pattern.ts'
import type { RuleDefinition } from './rule.ts'
import { Screen } from './screen.ts'
import { type TailMachine, tailMachine } from './tail.ts'
import { parseTerms, type Terms } from './terms.ts'

/** Rules at most in one set. */
const MAX_RULES = 4096
/** Unrolled size of all rules together: bounds memory, and the cost of the slowest step. */
const MAX_TOTAL_POSITIONS = 200_000

/** Nodes of all dictionaries together: bounds memory. */
const MAX_TOTAL_TERM_POSITIONS = 1_000_000

/** Rules compiled together. Immutable in what it means (it only remembers states), and shared by all streams. */
export interface RuleSet {
  readonly rules: readonly RuleDefinition[]
  /** What tells matches from texts of their form. */
  readonly checks: Checks
  readonly alphabet: Alphabet
  readonly automaton: Automaton
  /** Tells quickly where nothing matches. */
  readonly screen: Screen
  /** By rule: classes before which no match of it ends; undefined for any. */
  readonly notBefore: readonly (Uint8Array | undefined)[]
  /** By rule: the open-ended rest; undefined for ordinary rules. */
  readonly tails: readonly (TailMachine | undefined)[]
  /** Units that a stream holds back at the most, invisible characters aside. */
  readonly longest: number
}

export interface RuleFault {
  readonly rule: string
  readonly reason: string
}

export type CompileResult =
  | { readonly ok: true; readonly ruleSet: RuleSet }
  | { readonly ok: false; readonly faults: readonly RuleFault[] }

interface ParsedRule {
  /** Of the two, the rule has one. */
  readonly pattern: Pattern | undefined
  readonly terms: Terms | undefined
  readonly notAfter: UnitSet | undefined
  readonly notBefore: UnitSet | undefined
  readonly needs: UnitSet | undefined
  readonly body: UnitSet | undefined
}

/** Compiles rules into one automaton, or says of each faulty rule what is wrong with it. */
export function compileRules(rules: readonly RuleDefinition[]): CompileResult {
  const faults: RuleFault[] = []
  const parsed: ParsedRule[] = []
  const pool = new SetPool()
  for (const rule of rules) {
    const fault = (reason: string) => faults.push({ rule: rule.name, reason })
    const result = parseRule(rule, pool, fault)
    if (result) parsed.push(result)
  }
  if (rules.length > MAX_RULES) faults.push({ rule: '*', reason: `${rules.length} rules; at most ${MAX_RULES}` })
  const positions = parsed.reduce((sum, { pattern }) => sum + (pattern?.positions ?? 0), 0)
  if (positions > MAX_TOTAL_POSITIONS) {
    faults.push({ rule: '*', reason: `all rules unroll to ${positions} positions; at most ${MAX_TOTAL_POSITIONS}` })
  }
  const nodes = parsed.reduce((sum, { terms }) => sum + (terms?.positions ?? 0), 0)
  if (nodes > MAX_TOTAL_TERM_POSITIONS) {
    const reason = `the terms of all rules need ${nodes} positions; at most ${MAX_TOTAL_TERM_POSITIONS}`
    faults.push({ rule: '*', reason })
  }
  if (faults.length > 0) return { ok: false, faults }
  const ruleSet = assemble(rules, parsed, pool.sets)
  if (ruleSet) return { ok: true, ruleSet }
  return {
    ok: false,
    faults: [{ rule: '*', reason: 'the rules tell too many kinds of characters apart; at most 254' }],
  }
}

function parseRule(rule: RuleDefinition, pool: SetPool, fault: (reason: string) => void): ParsedRule | undefined {
  const caseSensitive = rule.caseSensitive ?? false
  const form = parseForm(rule, pool)
  if (!form.ok) {
    fault(form.reason)
    return undefined
  }
  const optionalClass = (field: string, source: string | undefined): UnitSet | undefined => {
    if (source === undefined) return undefined
    const set = parseClass(source, caseSensitive, pool)
    if (set.ok) return set.value
    fault(`${field}: ${set.reason}`)
    return undefined
  }
  if (rule.tail && (rule.notBefore !== undefined || rule.validate)) fault('tail excludes notBefore and validate')
  return {
    ...form.value,
    notAfter: optionalClass('notAfter', rule.notAfter),
    notBefore: optionalClass('notBefore', rule.notBefore),
    needs: optionalClass('needs', rule.needs),
    body: optionalClass('tail.body', rule.tail?.body),
  }
}

function parseForm(rule: RuleDefinition, pool: SetPool): Parsed<Pick<ParsedRule, 'pattern' | 'terms'>> {
  const { pattern, terms, caseSensitive = false } = rule
  if ((pattern === undefined) === (terms === undefined)) return { ok: false, reason: 'either pattern or terms' }
  if (pattern !== undefined) {
    const parsed = parsePattern(pattern, caseSensitive, pool)
    return parsed.ok ? { ok: true, value: { pattern: parsed.value, terms: undefined } } : parsed
  }
  if (rule.needs !== undefined || rule.tail) return { ok: false, reason: 'terms excludes needs and tail' }
  const parsed = parseTerms(terms ?? [], caseSensitive, pool)
  return parsed.ok ? { ok: true, value: { pattern: undefined, terms: parsed.value } } : parsed
}

function assemble(
  rules: readonly RuleDefinition[],
  parsed: readonly ParsedRule[],
  sets: readonly UnitSet[],
): RuleSet | null {
  const alphabet = Alphabet.of(sets)
  if (!alphabet) return null
  const notAfter = parsed.map(rule => (rule.notAfter ? alphabet.table(rule.notAfter) : undefined))
  const notBefore = parsed.map(rule => (rule.notBefore ? alphabet.table(rule.notBefore) : undefined))
  const behind = (firsts: readonly number[], unitClass: number, wordless: boolean) =>
    firsts.filter((_, rule) => !notAfter[rule]?.[unitClass] && !(wordless && rules[rule]?.needsWords))
  const exact = formsOf(new Nfa(alphabet), parsed)
  let screen: Screen | undefined
  const makeScreen = (): Screen => {
    const loose = formsOf(new Nfa(alphabet, true), parsed)
    const firstsAfter = (unitClass: number) => behind(loose.firsts, unitClass, false)
    screen = new Screen({ alphabet, nfa: loose.nfa, firstsAfter, notBefore })
    return screen
  }
  return {
    rules,
    checks: new Checks(
      rules,
      parsed.map(({ terms }) => terms),
    ),
    alphabet,
    automaton: new Automaton(
      exact.nfa,
      alphabet.size,
      (unitClass, wordless) => behind(exact.firsts, unitClass, wordless),
      rule => rules[rule]?.tail !== undefined,
    ),
    get screen() {
      return screen ?? makeScreen()
    },
    notBefore,
    tails: parsed.map(({ body }, rule) => body && tailMachine(alphabet.table(body), rules[rule]?.tail?.end)),
    longest: parsed.reduce((longest, { pattern, terms }) => Math.max(longest, (pattern ?? terms)?.longest ?? 0), 0),
  }
}

/** The rules' forms in an automaton, and the first state of each. */
function formsOf(nfa: Nfa, parsed: readonly ParsedRule[]): { readonly nfa: Nfa; readonly firsts: readonly number[] } {
  const firsts = parsed.map(({ pattern, terms, needs }, rule) => {
    if (pattern) return nfa.add(pattern.root, rule, needs)
    return terms ? nfa.addTerms(terms.root, rule) : -1
  })
  return { nfa, firsts }
}

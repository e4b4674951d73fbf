import { Alphabet } from './alphabet.ts'
import { Automaton, type State } from './automaton.ts'
import { Nfa } from './nfa.ts'
import {
  type Parsed,
  type Pattern,
  type PatternNode,
  parseClass,
  parsePattern,
  SetPool,
  type UnitSet,
} from './pattern.ts'
import type { RuleDefinition } from './rule.ts'
import { Screen } from './screen.ts'
import { parseTerms, type Terms } from './terms.ts'

/** Rules at most in one set. */
const MAX_RULES = 4096
/** Unrolled size of all rules together: bounds memory, and the cost of the slowest step. */
const MAX_TOTAL_POSITIONS = 200_000

/** Nodes of all dictionaries together: bounds memory. */
const MAX_TOTAL_TERM_POSITIONS = 1_000_000

/** How a rule's open-ended rest is followed. */
export interface TailMachine {
  /** By class: 1 where the rest goes on. */
  readonly body: Uint8Array
  /** Finds the end mark; undefined where the rest ends with the last character of the body. */
  readonly end: Automaton | undefined
  readonly endStart: State | null
}

/** Rules compiled together. Immutable in what it means (it only remembers states), and shared by all streams. */
export interface RuleSet {
  readonly rules: readonly RuleDefinition[]
  /** By rule: what tells a match from a text of its form; undefined where the form says all. */
  readonly validators: readonly RuleDefinition['validate'][]
  readonly alphabet: Alphabet
  readonly automaton: Automaton
  /** Tells quickly where nothing matches. */
  readonly screen: Screen
  /** The state in which a match may start behind a character of the class; null: none may. */
  startAfter(unitClass: number): State | null
  /** By rule: classes before which no match of it ends; undefined for any. */
  readonly notBefore: readonly (Uint8Array | undefined)[]
  /** By rule: the open-ended rest; undefined for ordinary rules. */
  readonly tails: readonly (TailMachine | undefined)[]
  /** Units that a stream holds back at the most, zero-width characters aside. */
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
  readonly end: PatternNode | undefined
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
    end: rule.tail?.end === undefined ? undefined : literal(rule.tail.end, pool),
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

function literal(text: string, pool: SetPool): PatternNode {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
  return { kind: 'sequence', items: units.map(unit => ({ kind: 'set', set: pool.intern([[unit, unit]]) })) }
}

function assemble(
  rules: readonly RuleDefinition[],
  parsed: readonly ParsedRule[],
  sets: readonly UnitSet[],
): RuleSet | null {
  const alphabet = Alphabet.of(sets)
  if (!alphabet) return null
  const nfa = new Nfa(alphabet)
  const firsts = addAll(nfa, parsed)
  const automaton = new Automaton(nfa, alphabet.size)
  const notAfter = parsed.map(rule => (rule.notAfter ? alphabet.table(rule.notAfter) : undefined))
  const notBefore = parsed.map(rule => (rule.notBefore ? alphabet.table(rule.notBefore) : undefined))
  const behind = (all: readonly number[], unitClass: number) => all.filter((_, rule) => !notAfter[rule]?.[unitClass])
  const starts = Array.from<State | null | undefined>({ length: alphabet.size })
  const makeStart = (unitClass: number): State | null => {
    const state = automaton.start(behind(firsts, unitClass))
    starts[unitClass] = state
    return state
  }
  let screen: Screen | undefined
  const makeScreen = (): Screen => {
    const loose = new Nfa(alphabet, true)
    const looseFirsts = addAll(loose, parsed)
    const firstsAfter = (unitClass: number) => behind(looseFirsts, unitClass)
    screen = new Screen({ alphabet, nfa: loose, firstsAfter, notBefore })
    return screen
  }
  return {
    rules,
    validators: rules.map(({ validate }, rule) => validatorOf(validate, parsed[rule]?.terms)),
    alphabet,
    automaton,
    get screen() {
      return screen ?? makeScreen()
    },
    startAfter(unitClass) {
      // Apart from `makeStart`, whose closure would cost an allocation at every call.
      const known = starts[unitClass]
      return known === undefined || known?.row === 0 ? makeStart(unitClass) : known
    },
    notBefore,
    tails: parsed.map(rule => rule.body && tailMachine(alphabet, rule.body, rule.end)),
    longest: parsed.reduce((longest, { pattern, terms }) => Math.max(longest, (pattern ?? terms)?.longest ?? 0), 0),
  }
}

function validatorOf(validate: RuleDefinition['validate'], terms: Terms | undefined): RuleDefinition['validate'] {
  const has = terms?.has
  if (!has || !validate) return has ?? validate
  return (match, before) => has(match) && validate(match, before)
}

/** The rules' first states. */
function addAll(nfa: Nfa, parsed: readonly ParsedRule[]): number[] {
  return parsed.map(({ pattern, terms, needs }, rule) => {
    if (pattern) return nfa.add(pattern.root, rule, needs)
    return terms ? nfa.addTerms(terms.root, rule) : -1
  })
}

function tailMachine(alphabet: Alphabet, body: UnitSet, end: PatternNode | undefined): TailMachine {
  if (!end) return { body: alphabet.table(body), end: undefined, endStart: null }
  const nfa = new Nfa(alphabet)
  const first = nfa.add(end, 0)
  const automaton = new Automaton(nfa, alphabet.size, [first])
  return { body: alphabet.table(body), end: automaton, endStart: automaton.start([first]) }
}

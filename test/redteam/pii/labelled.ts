import { readFileSync } from 'node:fs'
import { BUILT_IN_RULES, OPTIONAL_RULES } from '../../../src/guard/recognisers/index.ts'
import { compiled, type Span, spansOf } from '../../support/spans.ts'

/** A text and what is to be found in it: one line of a JSON Lines file, further fields aside. */
export interface Row {
  readonly id: string
  readonly text: string
  readonly spans: readonly Span[]
  /** The types under test; nothing else counts in this text. Absent: all. */
  readonly entities?: readonly string[]
}

/** A stretch that was found: its type in the names of the data, and the rule. */
export interface Found extends Span {
  readonly rule: string
}

export type Finder = (text: string) => Found[]

/** The data's names where a rule of personal data has another; every rule of secrets is for a SECRET. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['EMAIL', 'EMAIL_ADDRESS'],
  ['EMAIL_SPELLED', 'EMAIL_ADDRESS'],
  ['PHONE', 'PHONE_NUMBER'],
  ['IBAN', 'IBAN_CODE'],
  ['BITCOIN_ADDRESS', 'CRYPTO'],
  ['ETHEREUM_ADDRESS', 'CRYPTO'],
  ['CRYPTO_ADDRESS', 'CRYPTO'],
])

/** Names in which data sets differ. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['DOMAIN_NAME', 'URL'],
  ['PH_MOBILE_NUMBER', 'PHONE_NUMBER'],
  ['TR_PHONE_NUMBER', 'PHONE_NUMBER'],
])

const RULES = [...BUILT_IN_RULES, ...OPTIONAL_RULES]

function typeOf({ name, group }: { name: string; group: string }): string {
  return group === 'secrets' ? 'SECRET' : (TYPES.get(name) ?? name)
}

/** Every type that some rule finds. */
export const KNOWN_TYPES: ReadonlySet<string> = new Set(RULES.map(typeOf))

/** The guard's rules as a finder: those on by default, and the optional ones named. */
export function finder(optional: readonly string[] = []): Finder {
  const unknown = optional.filter(name => !OPTIONAL_RULES.some(rule => rule.name === name))
  if (unknown.length > 0) throw new Error(`no optional rule is called ${unknown.join(', ')}`)
  const rules = [...BUILT_IN_RULES, ...OPTIONAL_RULES.filter(({ name }) => optional.includes(name))]
  const ruleSet = compiled(rules)
  const types = new Map(rules.map(rule => [rule.name, typeOf(rule)]))
  return text => spansOf(text, ruleSet).map(span => ({ ...span, rule: span.type, type: types.get(span.type) ?? '' }))
}

/** Reads a file of rows. Lines whose spans are unknown (`null`) are left out; a line that is no row is an error. */
export function readRows(file: string | URL): Row[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return []
    const row = JSON.parse(line)
    if (row.spans === null) return []
    if (typeof row.text !== 'string' || !Array.isArray(row.spans)) {
      throw new Error(`${String(file)}, line ${index + 1}: needs a "text" and an array of "spans"`)
    }
    const spans = row.spans.map(({ start, end, type }: Span) => ({ start, end, type: synonym(type) }))
    const entities = Array.isArray(row.entities) ? { entities: row.entities.map(synonym) } : {}
    return [{ id: String(row.id ?? index + 1), text: row.text, spans, ...entities }]
  })
}

function synonym(type: string): string {
  return SYNONYMS.get(type) ?? type
}

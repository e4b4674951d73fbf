import { fold } from '../guard/fold.ts'
import { at, type Fault } from './fault.ts'
import {
  MAX_TERM_CHARACTERS,
  MAX_TERM_FAULTS,
  MAX_TERMS,
  MAX_TERMS_FILE_CHARACTERS,
  MIN_TERM_CHARACTERS,
} from './limits.ts'
import type { Document } from './schema.ts'
import type { Sources } from './substitute.ts'

type RuleDocument = Document['guard']['rules'][number]

/** A term, and what faults call it: `[3]` of a list, `line 12` of a file. Never the term itself. */
interface Term {
  readonly text: string
  readonly place: string
}

export interface Dictionaries {
  /** The document with the terms of its dictionaries' files in place, and all terms trimmed. */
  readonly document: Document
  readonly faults: readonly Fault[]
}

/** Reads the dictionaries of the company's own rules, and says what is wrong with their terms. */
export async function readDictionaries(document: Document, sources: Sources): Promise<Dictionaries> {
  const faults: Fault[] = []
  const rules: RuleDocument[] = []
  for (const [index, rule] of document.guard.rules.entries()) {
    const path = at('guard.rules', index)
    const terms = await termsOf(rule, path, sources, faults)
    if (terms === undefined) {
      rules.push(rule)
      continue
    }
    faults.push(...badTerms(terms, rule, path))
    rules.push({ ...rule, terms: terms.map(({ text }) => text) })
  }
  return { document: { ...document, guard: { ...document.guard, rules } }, faults: [...faults, ...tooMany(rules)] }
}

/** Undefined for a rule that is none or has no readable terms. */
async function termsOf(
  { terms, file }: RuleDocument,
  path: string,
  { readFile, resolvePath }: Sources,
  faults: Fault[],
): Promise<Term[] | undefined> {
  if (terms !== undefined && file !== undefined) {
    faults.push({ path, reason: 'needs one of terms and file, not both' })
    return undefined
  }
  if (terms !== undefined) return terms.map((text, index) => ({ text: tidy(text), place: at('', index) }))
  if (file === undefined) return undefined
  const read = await readFile(resolvePath(file), MAX_TERMS_FILE_CHARACTERS)
  if (read.ok && read.text.length <= MAX_TERMS_FILE_CHARACTERS) return linesOf(read.text)
  const reason = read.ok ? `it has more than ${MAX_TERMS_FILE_CHARACTERS} characters` : read.reason
  faults.push({ path: at(path, 'file'), reason: `the file ${file} cannot be read: ${reason}` })
  return undefined
}

/** One term a line. Lines that are empty or begin with `#` do not count; `\#` begins a term with `#`. */
function linesOf(text: string): Term[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const term = tidy(line)
    if (term === '' || term.startsWith('#')) return []
    return [{ text: term.startsWith('\\#') ? term.slice(1) : term, place: `line ${index + 1}` }]
  })
}

function tidy(term: string): string {
  return term
    .replace(/^\ufeff/, '')
    .trim()
    .normalize('NFC')
}

function badTerms(terms: readonly Term[], { file, caseSensitive }: RuleDocument, path: string): Fault[] {
  const key = at(path, file === undefined ? 'terms' : 'file')
  if (terms.length === 0) return [{ path: key, reason: 'has no terms' }]
  const faults: Fault[] = []
  const places = new Map<string, string>()
  for (const { text, place } of terms) {
    const folded = fold(text).text
    const seen = caseSensitive ? folded : folded.toLowerCase()
    const reason = badTerm(folded) ?? (places.has(seen) ? `the same term as ${places.get(seen)}` : undefined)
    if (!places.has(seen)) places.set(seen, place)
    if (reason === undefined) continue
    faults.push(file === undefined ? { path: key + place, reason } : { path: key, reason: `${place}: ${reason}` })
  }
  const more = faults.length - MAX_TERM_FAULTS
  return more > 0 ? [...faults.slice(0, MAX_TERM_FAULTS), { path: key, reason: `${more} more faults` }] : faults
}

function badTerm(text: string): string | undefined {
  if (text.length > MAX_TERM_CHARACTERS) return `longer than ${MAX_TERM_CHARACTERS} characters`
  if (text.length < MIN_TERM_CHARACTERS) return `shorter than ${MIN_TERM_CHARACTERS} characters: almost any text has it`
  if (/(?!\t)\p{Cc}/u.test(text)) return 'holds a control character: is the file UTF-8, with one term a line?'
  return /[\p{L}\p{N}]/u.test(text) ? undefined : 'has no letter or digit: ordinary punctuation would match'
}

function tooMany(rules: readonly RuleDocument[]): Fault[] {
  const count = rules.reduce((sum, { terms }) => sum + (terms?.length ?? 0), 0)
  if (count <= MAX_TERMS) return []
  return [{ path: 'guard.rules', reason: `${count} terms in all dictionaries together; at most ${MAX_TERMS}` }]
}

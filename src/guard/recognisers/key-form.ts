import type { RuleDefinition } from '../rule.ts'
import { looksRandom } from '../validators/entropy.ts'

/**
 * Keys that providers issue are mostly a fixed prefix and some random characters. A template says both: literal text, and
 * places such as `{A36}` (36 letters and digits) or `{W20,60}`. Out of it come the pattern, two examples and two
 * counter-examples, so that no text that looks like a real key has to be kept in the source.
 */

const PLACES: Readonly<Record<string, string>> = {
  A: 'A-Za-z0-9',
  B: 'A-Za-z0-9+/',
  D: '0-9',
  E: 'A-Za-z0-9_=-',
  F: 'A-Za-z0-9+/=_-',
  H: 'a-f0-9',
  K: 'A-Za-z',
  L: 'a-z0-9',
  P: 'A-Za-z0-9._=-',
  Q: 'A-Z2-7',
  U: 'A-Z0-9',
  W: 'A-Za-z0-9_-',
  X: 'A-Fa-f0-9',
  Y: 'A-Za-z0-9_~.-',
  '|': '|%',
}

const PLACE = /\{(.)(\d+)(?:,(\d+))?\}/g

export interface KeyForm {
  readonly name: string
  /** What the key opens, for the rule's description. */
  readonly of: string
  readonly templates: readonly string[]
  /** The key stands alone: no letter or digit (or what else is given as a class) touches it. */
  readonly alone?: boolean | string
  /** Place whose characters go on without a longest match; such a form has no check for stand-ins. */
  readonly rest?: string
  /** Further conditions on a match. */
  readonly check?: (match: string) => boolean
}

/** The rule for a form. */
export function keyRule({ name, of, templates, alone, rest, check }: KeyForm): RuleDefinition {
  const head = Math.min(...templates.map(template => template.split('{', 1)[0]?.length ?? 0))
  const boundary = alone === undefined ? undefined : `[${alone === true ? PLACES['A'] : alone}]`
  const forms = templates.map(template =>
    template.replace(PLACE, (_, place: string, min: string) => `{${place}${min}}`),
  )
  return {
    name,
    group: 'secrets',
    description: `${of}: ${templates.map(readable).join(', ')}${rest === undefined ? '' : ' and so on'}.`,
    pattern: templates.map(patternOf).join('|'),
    caseSensitive: true,
    ...(boundary === undefined ? {} : { notAfter: boundary }),
    ...(boundary === undefined || rest !== undefined ? {} : { notBefore: boundary }),
    ...(rest === undefined
      ? { validate: match => looksRandom(match.slice(head)) && (check === undefined || check(match)) }
      : { tail: { body: `[${PLACES[rest]}]` } }),
    // Made when asked for: a gateway that serves never is.
    get examples() {
      return forms.flatMap(form => [`key = "«${sampleOf(form)}»"`, `Use «${sampleOf(form)}», please`])
    },
    get counterExamples() {
      return [
        ...forms.map(cutShort),
        ...forms.map(form => (rest === undefined ? sampleOf(form, 'x') : sampleOf(form).slice(1))),
      ]
    },
  }
}

function patternOf(template: string): string {
  let pattern = ''
  let at = 0
  for (const { 0: whole, 1: place = '', 2: min = '', 3: max, index } of template.matchAll(PLACE)) {
    pattern += escaped(template.slice(at, index))
    pattern += `[${PLACES[place]}]${max === undefined ? `{${min}}` : `{${min},${max}}`}`
    at = index + whole.length
  }
  return pattern + escaped(template.slice(at))
}

function escaped(literal: string): string {
  return literal.replace(/[.|()[\]{}?*+^$\\]/g, '\\$&')
}

function readable(template: string): string {
  return template.replace(PLACE, '…')
}

/** A sample that ends with the first character of its first place. */
function cutShort(template: string): string {
  const place = template.indexOf('{')
  return place === -1 ? template.slice(0, -1) : sampleOf(template).slice(0, place + 1)
}

/** The template with its places filled from their alphabets, always the same way; or with one character where it fits. */
function sampleOf(template: string, only?: string): string {
  let state = 7
  return template.replace(PLACE, (_, place: string, count: string) => {
    const alphabet = membersOf(PLACES[place] ?? '')
    let text = ''
    for (let at = 0; at < Number(count); at++) {
      state = (state * 1103515245 + 12345) % 2147483648
      const fill = only !== undefined && alphabet.includes(only) ? only : alphabet[0]
      text += only === undefined ? alphabet[(state >>> 16) % alphabet.length] : fill
    }
    return text
  })
}

function membersOf(characters: string): string {
  return characters.replace(/(.)-(.)/g, (_, first: string, last: string) => {
    let members = ''
    for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code++) members += String.fromCharCode(code)
    return members
  })
}

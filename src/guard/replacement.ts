import { fold } from './fold.ts'
import type { RuleDefinition } from './rule.ts'

/** A keyed digest in hex: equal for equal texts, and telling nothing of them to who does not have the key. */
export type Digest = (text: string) => string

/** Hex digits of a digest that are shown: of a million values, two have the same with a probability of 1 in 500. */
const DIGEST_LENGTH = 12
const MOST_KEPT = 4
/** Of a short value less is kept: one letter or digit of so many. */
const KEPT_OF = 3
/** What a mask leaves of a value's form. Of secrets it leaves none: their signs are a part of them. */
const SEPARATORS = ' -./@'
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u

/** What stands in place of a match that is redacted. */
export function label({ name, replacement }: RuleDefinition): string {
  return replacement ?? `[${name}_REDACTED]`
}

/**
 * The value with stars for its letters and digits, the last four aside (of a short value: the last third). `mostKept`
 * lowers that number.
 */
export function mask({ group }: RuleDefinition, value: string, mostKept = MOST_KEPT): string {
  const separators = group === 'secrets' ? '' : SEPARATORS
  const characters = Array.from(value).filter(character => fold(character).text !== '')
  const words = characters.filter(character => LETTER_OR_DIGIT.test(character)).length
  let left = Math.min(mostKept, Math.floor(words / KEPT_OF))
  const masked = characters.reverse().map(character => {
    const folded = fold(character).text
    if (separators.includes(folded)) return folded
    return LETTER_OR_DIGIT.test(character) && left-- > 0 ? character : '*'
  })
  return masked.reverse().join('')
}

/** A label that is the same wherever the value is, however it is spelled. */
export function hashLabel(rule: RuleDefinition, value: string, digest: Digest): string {
  return `[${rule.name}_${digest(`${rule.name}\n${normal(rule, value)}`).slice(0, DIGEST_LENGTH)}]`
}

/** One spelling of a value: no white space, no hyphens between digits, small letters. Of a secret every sign counts. */
function normal({ group }: RuleDefinition, value: string): string {
  const folded = fold(value).text
  return group === 'secrets' ? folded : folded.replaceAll(/\s|(?<=\d)-(?=\d)/g, '').toLowerCase()
}

import type { RuleDefinition } from '../rule.ts'
import { isLabelled, isSaid, type Phrases } from '../validators/context.ts'
import { continuesNumber, isDigit, isLetterOrDigit } from '../validators/digits.ts'

/** A number that an authority gives to a person, a company or a thing. */
export interface IdForm {
  readonly name: string
  readonly locale?: string
  readonly description: string
  /**
   * Digits as plain `\\d`, whatever the form says of their values: that is for `exact`. Each class of digits of its own doubles
   * what the automaton has to tell apart in rows of numbers.
   */
  readonly pattern: string
  /** What the match, in upper case, looks like in detail. */
  readonly exact?: RegExp
  readonly caseSensitive?: boolean
  /** Check digits and ranges of the match in upper case; default: the form is all there is. */
  readonly check?: (match: string) => boolean
  /** Whether a match that passes the check is strong enough without a word in front; default never. */
  readonly strong?: boolean | ((match: string) => boolean)
  /** Words that say what it is, anywhere in the text in front. */
  readonly said?: Phrases
  /** Words that say what it is, as a label right in front: for forms that any number has. */
  readonly labelled?: Phrases
  readonly examples: readonly string[]
  readonly counterExamples: readonly string[]
}

/** The rule for a form. */
export function idRule({ check, exact, strong = false, said, labelled, ...form }: IdForm): RuleDefinition {
  // A label may reach a shorter match and not the longest, which is all that `begins` sees: there, it only has to stand in front.
  const isNear = (before: string) =>
    (said !== undefined && isSaid(before, said)) || (labelled !== undefined && isSaid(before, labelled))
  const isWorded = said !== undefined || labelled !== undefined
  return {
    group: 'pii',
    notAfter: '[A-Za-z0-9]',
    notBefore: '[A-Za-z0-9]',
    needsWords: isWorded && strong === false,
    ...form,
    words: [...new Set([...(said?.list ?? []), ...(labelled?.list ?? [])])],
    ...(isWorded || strong !== false
      ? {
          begins: (_, before) =>
            !continuesNumber(before) && ((strong !== false && !isJoined(before)) || isNear(before)),
        }
      : {}),
    validate: (match, before) => {
      const upper = match.toUpperCase()
      if (continuesNumber(before) || (exact && !exact.test(upper)) || (check && !check(upper))) return false
      if ((strong === true || (strong && strong(match))) && !isJoined(before)) return true
      return (
        (said !== undefined && isSaid(before, said)) || (labelled !== undefined && isLabelled(before, labelled, match))
      )
    },
  }
}

/** Whether the match is the middle of something longer: a path, a file name, encoded data. */
function isJoined(before: string): boolean {
  const last = before.charAt(before.length - 1)
  if (last === '' || !'-_+/.=%'.includes(last)) return false
  const code = before.charCodeAt(before.length - 2)
  return isLetterOrDigit(code) && (last !== '=' || isDigit(code))
}

import * as v from 'valibot'
import { MAX_LIST_ENTRIES, MAX_NAME_CHARACTERS } from './limits.ts'
import { formatQuantity, parseQuantity, QUANTITY_HINTS, QUANTITY_PATTERNS, type Quantity } from './units.ts'

/**
 * Building blocks of the configuration's schema. No message repeats the value it is about: it may be a secret that
 * stands in the wrong place.
 */

/** A duration in milliseconds or a size in bytes, from text with a unit. `min` and `max` are in the base unit. */
export function quantity(kind: 'duration' | 'size', min: number, max: number) {
  const message = `should be ${QUANTITY_HINTS[kind]}`
  return v.pipe(v.string(message), v.regex(QUANTITY_PATTERNS[kind], message), v.rawTransform(inRange(kind, min, max)))
}

/** A whole number, from a number or from text such as `100k`. */
export function count(min: number, max: number) {
  const message = `should be ${QUANTITY_HINTS.count}`
  return v.pipe(
    v.union(
      [v.pipe(v.number(), v.integer(message)), v.pipe(v.string(), v.regex(QUANTITY_PATTERNS.count, message))],
      message,
    ),
    v.rawTransform(inRange('count', min, max)),
  )
}

function inRange(kind: Quantity, min: number, max: number) {
  return <T extends string | number>({ dataset, addIssue, NEVER }: v.RawTransformContext<T>): number => {
    const value = typeof dataset.value === 'number' ? dataset.value : parseQuantity(kind, dataset.value)
    if (value !== undefined && value >= min && value <= max) return value
    addIssue({ message: `should be from ${formatQuantity(kind, min)} to ${formatQuantity(kind, max)}` })
    return NEVER
  }
}

/** A number, whole or not. */
export function number(min: number, max: number) {
  const message = `should be a number from ${min} to ${max}`
  return v.pipe(v.number(message), v.minValue(min, message), v.maxValue(max, message))
}

/** Text that is not empty, of at most `max` characters. */
export function text(max = 4096) {
  return v.pipe(
    v.string('should be text (put it in quotes if it looks like a number)'),
    v.minLength(1, 'should not be empty'),
    v.maxLength(max, `should have at most ${max} characters`),
  )
}

/** A team, application, environment or limit: safe in store keys, headers and metric labels. */
export const name = v.pipe(
  text(MAX_NAME_CHARACTERS),
  v.regex(/^[A-Za-z0-9._-]+$/, 'should have only letters, digits, dots, underscores and hyphens'),
)

export function oneOf<const T extends readonly string[]>(options: T) {
  return v.picklist(options, `should be one of: ${options.join(', ')}`)
}

export function list<T extends v.GenericSchema>(item: T) {
  return v.pipe(
    v.array(item, 'should be a list'),
    v.maxLength(MAX_LIST_ENTRIES, `should have at most ${MAX_LIST_ENTRIES} entries`),
  )
}

/** One value or several: what names several says so, and no glob lets in what is made later. */
export const someOf = <T extends v.GenericSchema<string>>(item: T) =>
  v.union([item, v.pipe(list(item), v.minLength(1, 'should name at least one'))], 'should be a name or a list of names')

export const yesOrNo = v.boolean('should be true or false')

/** An absolute URL of one of the protocols (`https:`), without credentials and fragment; without a query unless it may. */
export function url(protocols: readonly string[], mayHaveQuery = false) {
  return v.pipe(
    text(),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      const parsed = URL.parse(dataset.value)
      if (parsed === null || !protocols.includes(parsed.protocol)) {
        addIssue({ message: `should be a URL that begins with ${protocols.map(p => `${p}//`).join(' or ')}` })
      } else if (parsed.username !== '' || parsed.password !== '') {
        addIssue({ message: 'should not hold a user name or password: use the key made for credentials' })
      } else if (parsed.hash !== '') {
        addIssue({ message: 'should not have a fragment' })
      } else if (parsed.search !== '' && !mayHaveQuery) {
        addIssue({ message: 'should not have a query' })
      }
    }),
  )
}

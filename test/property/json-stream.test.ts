import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GuardedJson } from '../../src/guard/json-stream.ts'
import { byGroup, compileSide } from '../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import { TextGuard } from '../../src/guard/text-guard.ts'

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
if (!compiled.ok) throw new Error('the built-in rules do not compile')
const { side } = compiled

const whole = (text: string) => new TextGuard(side).whole(text)

/** The oracle: every string, key and number of a parsed value, guarded by itself. */
function redacted(value: unknown): unknown {
  if (typeof value === 'string') return whole(value)
  if (typeof value === 'number') {
    const raw = JSON.stringify(value)
    return whole(raw) === raw ? value : whole(raw)
  }
  if (Array.isArray(value)) return value.map(redacted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [whole(key), redacted(inner)]))
}

function inPieces(text: string, cuts: readonly number[]): string {
  const guard = new TextGuard(side)
  const json = new GuardedJson(() => guard.open())
  const places = [...new Set(cuts.map(cut => cut % (text.length + 1)))].sort((one, other) => one - other)
  let out = ''
  let from = 0
  for (const place of [...places, text.length]) {
    out += json.push(text.slice(from, place))
    from = place
  }
  return out + json.end()
}

const VALUES = [
  'bob@example.com',
  '123-45-6789',
  '4111 1111 1111 1111',
  'x "quoted" \\ bob@example.com',
  'a\nb',
  '😀é',
  '',
]
const leaf = fc.oneof(
  fc.constantFrom(...VALUES),
  fc.string({ unit: 'grapheme' }),
  fc.integer(),
  fc.constant(4111111111111111),
  fc.boolean(),
  fc.constant(null),
)
const { object } = fc.letrec(tie => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('object'),
    fc.array(tie('any'), { maxLength: 3 }),
  ),
  object: fc.dictionary(fc.oneof(fc.constantFrom('email', 'bob@example.com', 'a\\b'), fc.string()), tie('any'), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
}))

/** Writes some characters of strings as escapes that mean the same. */
function escapedSomehow(json: string, seed: number): string {
  let state = seed
  return json.replace(/[a-z0-9@]/g, (char, at: number) => {
    const inString = (json.slice(0, at).match(/(?<!\\)(?:\\\\)*"/g)?.length ?? 0) % 2 === 1
    state = (state * 1103515245 + 12345) % 2147483648
    const escaping = json[at - 1] === '\\' || /\\u.{0,3}$/.test(json.slice(Math.max(0, at - 5), at))
    return inString && !escaping && state % 5 === 0 ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char
  })
}

describe('arguments that stream', () => {
  it('are the guarded value, whatever the pieces and the escapes', () => {
    fc.assert(
      fc.property(object, fc.array(fc.nat()), fc.nat(), fc.constantFrom(0, 1, 2), (value, cuts, seed, indent) => {
        const json = escapedSomehow(JSON.stringify(value, null, indent), seed)
        expect(JSON.parse(inPieces(json, cuts))).toEqual(redacted(JSON.parse(json)))
      }),
      { numRuns: 400 },
    )
  })

  it('keep their form where nothing is redacted', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), cuts => {
        const json = String.raw`{ "path": "C:\\dir\/x\u0041\n", "n": [1, -2.5e3,true , null], "é": "\ud83d\ude00" }`
        expect(inPieces(json, cuts)).toBe(json)
      }),
    )
  })

  it('give the same for any cut of any text, JSON or not, and never more than plain text would', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      ' ',
      '\\',
      '4111 1111',
      ' 1111 1111',
      '12',
      'bob@example.com',
      '\\u0031',
    )
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat()), (pieces, cuts) => {
        const text = pieces.join('')
        // Beside a redaction, how a character is written may depend on the cut; what it is does not.
        const plain = (json: string) => json.replaceAll('\\u0031', '1').replace(/\\([^"\\/bfnrtu])/g, '$1')
        expect(plain(inPieces(text, cuts))).toBe(plain(inPieces(text, [])))
      }),
      { numRuns: 400 },
    )
  })

  it('that turn out to be no JSON are guarded as text from there on', () => {
    expect(inPieces('{"a": 4111 1111 1111 1111}', [9, 12])).toBe('{"a": [CREDIT_CARD_REDACTED]}')
    expect(inPieces('call bob@example.com', [7])).toBe('call [EMAIL_REDACTED]')
    expect(inPieces('{"a": "bob@exam', [3])).toBe('{"a": "bob@exam')
    expect(inPieces('{"a": "bob@example.com', [3])).toBe('{"a": "[EMAIL_REDACTED]')
  })

  it('hold back no more than the word in progress', () => {
    const guard = new TextGuard(side)
    const json = new GuardedJson(() => guard.open())
    expect(json.push('{"city": "Par')).toBe('{"city": "')
    expect(json.push('is is ')).toBe('Paris is ')
    expect(json.push('nice", "n": 12')).toBe('nice", "n": ')
    expect(json.push(', ')).toBe('12, ')
  })
})

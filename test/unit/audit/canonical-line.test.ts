import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, type JsonValue } from '../../../src/audit/canonical-json.ts'
import { CanonicalLine } from '../../../src/audit/canonical-line.ts'
import { sampleChain } from './sample.ts'

const encoder = new TextEncoder()

function isCanonical(text: string | Uint8Array): boolean {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text
  // In the middle of other bytes, as lines are.
  const block = new Uint8Array([0x7d, ...bytes, 0x0a, 0x22])
  return new CanonicalLine().read(block, 1, 1 + bytes.length)
}

/** Appendix B of RFC 8785: the bits of a double and what is written for it. */
const NUMBERS: readonly [bits: string, text: string][] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

describe('a canonical line', () => {
  it.each(NUMBERS)('has the number %s of RFC 8785 as %s', (bits, text) => {
    const value = new DataView(BigUint64Array.of(BigInt(`0x${bits}`)).buffer).getFloat64(0, true)
    expect(canonicalJson({ n: value })).toBe(`{"n":${text}}`)
    expect(isCanonical(`{"n":${text}}`)).toBe(true)
  })

  it.each([
    '-0',
    '00',
    '01',
    '1.0',
    '1.50',
    '1e5',
    '1E+21',
    '1e21',
    '0.0000001',
    '+1',
    '.5',
    '1.',
    '-',
    '',
    'NaN',
    'Infinity',
    '9007199254740993',
    '0x10',
    '1-2',
    '333333333.33333329',
    '1.7976931348623159e+308',
    '1e400',
  ])('has no number spelled %s', text => {
    expect(isCanonical(`{"n":${text}}`)).toBe(false)
  })

  it('has the keys of RFC 8785, section 3.2.3, in the order of their UTF-16 units', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }
    const text = canonicalJson(value)
    expect(isCanonical(text)).toBe(true)
    // In the order of code points, which is that of the bytes, the last two would be the other way.
    expect(isCanonical('{"\ufb33":1,"\ud83d\ude00":2}')).toBe(false)
    expect(isCanonical('{"\ud83d\ude00":1,"\ufb33":2}')).toBe(true)
    expect(isCanonical('{"\\n":1,"\\r":2}')).toBe(true)
    expect(isCanonical('{"\\r":1,"\\n":2}')).toBe(false)
  })

  it.each([
    ['white space', '{ "a":1}'],
    ['white space behind', '{"a":1} '],
    ['two values', '{"a":1}{}'],
    ['no object', '[1]'],
    ['a comma too many', '{"a":1,}'],
    ['no comma', '{"a":1"b":2}'],
    ['a key twice', '{"a":1,"a":1}'],
    ['unsorted keys', '{"b":1,"a":1}'],
    ['unsorted keys within', '{"a":[{"b":1,"a":1}]}'],
    ['an escape that is none', '{"a":"\\x"}'],
    ['an escaped solidus', '{"a":"\\/"}'],
    ['a letter as an escape', '{"a":"\\u0061"}'],
    ['a short escape spelled out', '{"a":"\\u000a"}'],
    ['upper-case digits', '{"a":"\\u001F"}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['a pair of surrogates as escapes', '{"a":"\\ud83d\\ude00"}'],
    ['a control character', '{"a":"\u0001"}'],
    ['an end too soon', '{"a":"b'],
    ['a literal that is none', '{"a":nul}'],
    ['capitals', '{"a":True}'],
    ['too many levels', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`],
  ])('has not %s', (_what, text) => {
    expect(isCanonical(text)).toBe(false)
  })

  it.each([
    ['an overlong form', [0xc0, 0xaf]],
    ['a longer overlong form', [0xe0, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['more than U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a continuation alone', [0x80]],
    ['a beginning alone', [0xe2, 0x82]],
    ['0xff', [0xff]],
  ])('has not %s in UTF-8', (_what, bytes) => {
    const around = (inner: number[]) => new Uint8Array([...encoder.encode('{"a":"'), ...inner, ...encoder.encode('"}')])
    expect(isCanonical(around(bytes))).toBe(false)
    expect(isCanonical(around([0xe2, 0x82, 0xac]))).toBe(true)
  })

  it('is what canonicalJson writes, of any value without lone surrogates', () => {
    const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 6 }))
    fc.assert(
      fc.property(object, value => {
        const text = canonicalJson(value as JsonValue)
        const isWhole = text.isWellFormed() && !/\\ud[89a-f]/.test(text)
        expect(isCanonical(text)).toBe(isWhole)
      }),
      { numRuns: 1000 },
    )
  })

  it('is only ever text that says the same when it is read and written again', () => {
    const line = encoder.encode(canonicalJson({ a: [1.5, 'x\n€', { b: null, c: -2 }], d: true, e: 'z' }))
    const edit = fc.record({ at: fc.nat(line.length - 1), byte: fc.constantFrom(...line, 0x20, 0x2d, 0x65, 0x5c) })
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 3 }), edits => {
        const bytes = line.slice()
        for (const { at, byte } of edits) bytes[at] = byte
        if (!isCanonical(bytes)) return
        const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
        expect(canonicalJson(JSON.parse(text) as JsonValue)).toBe(text)
      }),
      { numRuns: 5000 },
    )
  })

  it('says where the members are that a verifier needs', () => {
    const [text = ''] = sampleChain(1, () => ({ requestId: 'r"\u20ac', guard: [] }))
    const line = new CanonicalLine()
    const bytes = encoder.encode(text)
    expect(line.read(bytes, 0, bytes.length)).toBe(true)
    expect(line.count('seq')).toBe(1)
    expect(line.text('requestId')).toBe('r\\"\u20ac')
    expect(line.is('outcome', 'served')).toBe(true)
    expect(line.is('outcome', 'serve')).toBe(false)
    expect(line.has('begun')).toBe(false)
    expect(line.count('begun')).toBe(0)
  })
})

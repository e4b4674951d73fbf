import { describe, expect, test } from 'vitest'
import { CHECKS, limitExcess } from '../../../src/firewall/check-limits.ts'
import { DEFAULT_LIMITS, LIMITS, type LimitName } from '../../../src/firewall/limits.ts'
import { patternCost } from '../../../src/firewall/pattern-cost.ts'
import { schemaExcess } from '../../../src/firewall/schema-bounds.ts'

test('the fields that a limit names are those that are checked', () => {
  const named = new Set<string>(Object.values(LIMITS).flatMap(({ fields }) => fields))
  expect([...named].sort()).toEqual([...CHECKS.keys()].sort())
})

describe('what a pattern unrolls to', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['^[a-z]+$', 3],
    ['a{5}', 5],
    ['a{2,9}', 9],
    ['a{3,}', 3],
    ['(a{5}b{5}){3}', 30],
    ['((a{50}){50}){50}', 125_000],
    ['(a|bc){4}', 12],
    ['(?:x{10}){10}', 110],
    ['a{3}{4}', 12],
    ['[a\\]{9}]{2}', 2],
    ['[]{9}]{2}', 2],
    ['\\d{4}-\\d{2}', 7],
    ['\\({5}', 5],
    ['\\p{L}{3}', 6],
    ['a{0}', 1],
    ['(){1000}', 1000],
    ['a{b}', 4],
    ['a{99999999999}', Number.POSITIVE_INFINITY],
    [')))(((', 3],
    ['[', 1],
    ['\\', 1],
  ])('%s: %d', (pattern, cost) => {
    expect(patternCost(pattern)).toBe(cost)
  })

  test('is told in linear time, and never overflows', () => {
    const started = performance.now()
    expect(patternCost('(('.repeat(50_000))).toBe(0)
    expect(patternCost('a{9}'.repeat(50_000))).toBe(450_000)
    expect(patternCost(`${'('.repeat(400)}a${'){999999999}'.repeat(400)}`)).toBe(Number.POSITIVE_INFINITY)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('a JSON Schema', () => {
  const check = (schema: unknown, limits: Partial<Record<LimitName, number>> = {}) =>
    schemaExcess(schema, 's', { ...DEFAULT_LIMITS, ...limits })

  test('of an honest tool passes', () => {
    const email = { type: 'string', pattern: '^[\\w.+-]{1,64}@[\\w-]{1,63}(\\.[\\w-]{1,63}){1,8}$', maxLength: 320 }
    const schema = {
      type: 'object',
      properties: { email, pattern: { type: 'string' }, maxLength: { type: 'integer' }, $ref: { type: 'string' } },
      $defs: { node: { properties: { next: { $ref: '#/$defs/node' } } } },
    }
    expect(check(schema)).toBeUndefined()
    expect(check(true)).toBeUndefined()
  })

  test.each([
    [{ minItems: 10_001 }, { amount: 10_001, what: 'as minItems' }],
    [{ properties: { a: { items: { maxLength: 1e9 } } } }, { amount: 1e9, what: 'as maxLength' }],
    [{ anyOf: [{ pattern: '(a{500}){500}' }] }, { amount: 250_000 }],
    [{ patternProperties: { '(a{500}){500}': true } }, { amount: 250_000 }],
    [{ $ref: 'http://a/b' }, { forbidden: expect.stringContaining('$ref') }],
    [{ items: [{ $ref: 'file:///etc/passwd' }] }, { forbidden: expect.stringContaining('$ref') }],
    [{ enum: ['x'.repeat(70_000)] }, { what: 'characters', limit: 65_536 }],
    [{ properties: { ['x'.repeat(70_000)]: {} } }, { what: 'characters' }],
  ])('%#: is refused beyond its bounds', (schema, excess) => {
    expect(check(schema)).toMatchObject({ param: 's', ...excess })
  })
})

describe('media', () => {
  const image = (bytes: number) => `data:image/png;base64,${'A'.repeat(Math.ceil((bytes * 4) / 3))}`
  const limits = { ...DEFAULT_LIMITS, media: 2, mediaSize: 1000 }
  const WIRES: [string, (url: string) => object, string][] = [
    ['messages', url => ({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }), 'image_url.url'],
    ['input', url => ({ role: 'user', content: [{ type: 'input_image', image_url: url }] }), 'image_url'],
    ['messages', url => ({ role: 'user', content: [{ type: 'image', source: { data: url } }] }), 'source.data'],
    ['messages', url => ({ content: [{ type: 'input_audio', input_audio: { data: url } }] }), 'input_audio.data'],
  ]

  test.each(WIRES)('are counted and measured: %s %s', (field, item, place) => {
    const check = (...sizes: number[]) => limitExcess({ [field]: sizes.map(size => item(image(size))) }, limits)
    expect(check(990, 990)).toBeUndefined()
    expect(check(1, 1, 1)).toMatchObject({ param: `${field}[2].content[0].${place}`, amount: 3, limit: 2 })
    expect(check(1, 1100)).toMatchObject({ param: `${field}[1].content[0].${place}`, what: 'bytes', limit: 1000 })
  })

  test('also inside of tool results; an address has no size', () => {
    const part = { type: 'image', source: { type: 'url', url: `https://images.example/${'x'.repeat(5000)}` } }
    const messages = [{ role: 'user', content: [{ type: 'tool_result', content: [part, part, part] }] }]
    expect(limitExcess({ messages }, limits)).toMatchObject({
      param: 'messages[0].content[0].content[2].source.url',
      amount: 3,
    })
    const output = [{ type: 'function_call_output', output: [{ type: 'input_image', image_url: image(2000) }] }]
    expect(limitExcess({ input: output }, limits)).toMatchObject({ param: 'input[0].output[0].image_url' })
  })
})

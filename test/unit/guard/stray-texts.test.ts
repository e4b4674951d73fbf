import { describe, expect, test } from 'vitest'
import { OpenEvent } from '../../../src/guard/open-event.ts'
import { byGroup, compileSide } from '../../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../../src/guard/recognisers/index.ts'
import { isStray, StrayTexts } from '../../../src/guard/stray-texts.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { walkJson } from '../../../src/json/walk.ts'

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
if (!compiled.ok) throw new Error('the built-in rules do not compile')
const { side } = compiled

/** What goes out of a stream of documents, in order, behind the last of them. */
function stream(documents: readonly unknown[]): unknown[] {
  const strays = new StrayTexts(new TextGuard(side))
  const open = documents.map(value => {
    const bytes = new TextEncoder().encode(JSON.stringify(value))
    const event = new OpenEvent(bytes, [])
    for (const slot of (walkJson(bytes, 0, bytes.length, {})?.strings ?? []).filter(isStray)) {
      if (!strays.take(bytes, 0, slot, '', event)) throw new Error('malformed')
    }
    strays.eventEnd(() => true, false)
    return event
  })
  strays.end()
  return open.map(event => JSON.parse(new TextDecoder().decode(event.close())) as unknown)
}

describe('what stands at places that nobody has described', () => {
  test('is checked by itself', () => {
    const value = { a: 'mail bob@example.com', 'bob@example.com': [1], n: 4_111_111_111_111_111 }
    expect(stream([value])).toEqual([
      { a: 'mail [EMAIL_REDACTED]', '[EMAIL_REDACTED]': [1], n: '[CREDIT_CARD_REDACTED]' },
    ])
  })

  test('and together with what comes there next: nothing of a match over several events is let out', () => {
    expect(stream([{ a: 'SSN 123-45-' }, { a: '6789 ok' }, { a: '.' }])).toEqual([
      { a: 'SSN [US_SSN_REDACTED] ' },
      { a: 'ok' },
      { a: '.' },
    ])
  })

  test('what has gone out is looked at together with what comes later', () => {
    expect(stream([{ a: 'SSN 123-45-' }, { b: 1 }, { a: '6789 ok' }])).toEqual([
      { a: 'SSN 123-45-' },
      { b: 1 },
      { a: '[US_SSN_REDACTED] ok' },
    ])
  })

  test('places do not mix, and labels that are said again are no text that grows', () => {
    const value = { a: '123-45-67', b: { a: '6789' }, c: '4111 1111 ', d: 'gateway-eu' }
    expect(stream([value, value, value])).toEqual([value, value, value])
  })

  test('labels stay whole, whatever they change to', () => {
    const words = ['thinking', 'thinking', 'thinking', 'answering', 'answering', 'b11669-abc', 'fp_1', 'fp_2']
    expect(stream(words.map(phase => ({ phase })))).toEqual(words.map(phase => ({ phase })))
  })

  test('numbers that repeat themselves are no labels', () => {
    const out = stream(Array.from({ length: 4 }, () => ({ a: '4242' }))) as { a: string }[]
    expect(out.map(({ a }) => a).join('')).toBe('[CREDIT_CARD_REDACTED]')
  })

  test('an endless match is dropped as it comes', () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(40)}-----END PRIVATE KEY-----\nbye`
    const pieces = key.match(/[^]{1,9}/g) ?? []
    const out = stream(pieces.map(a => ({ a }))) as { a: string }[]
    expect(out.map(({ a }) => a).join('')).toBe('[PRIVATE_KEY_REDACTED]\nbye')
  })

  test('measurements, times and counts are no numbers of a person', () => {
    const value = {
      ms: 3859.348_198_970_840_7,
      at: 1_760_000_000,
      big: 123_456_789_012,
      vector: [0.123_456_789_012_345],
    }
    expect(stream([value])).toEqual([value])
  })

  test('more places than are told apart are taken for one', () => {
    const name = (at: number) => `place_${at}`.replaceAll(/\d/g, digit => 'abcdefghij'[Number(digit)] ?? '')
    const many = Array.from({ length: 64 }, (_, at) => ({ [name(at)]: 'x ' }))
    expect(stream([...many, { one: 'SSN 123-45-' }, { other: '6789.' }]).slice(64)).toEqual([
      { one: 'SSN [US_SSN_REDACTED].' },
      { other: '' },
    ])
  })
})

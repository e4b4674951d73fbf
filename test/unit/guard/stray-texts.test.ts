import { describe, expect, test } from 'vitest'
import { splice } from '../../../src/guard/edits.ts'
import { byGroup, compileSide } from '../../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../../src/guard/recognisers/index.ts'
import { isStray, StrayTexts } from '../../../src/guard/stray-texts.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { walkJson } from '../../../src/json/walk.ts'

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
if (!compiled.ok) throw new Error('the built-in rules do not compile')
const { side } = compiled

function stream(isEvent = true) {
  const guard = new TextGuard(side)
  const strays = new StrayTexts(guard)
  return (value: unknown) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value))
    const edits = (walkJson(bytes, 0, bytes.length, {})?.strings ?? []).filter(isStray).flatMap(slot => {
      const edit = strays.edit(bytes, 0, slot, isEvent ? '' : null)
      if (edit === 'malformed') throw new Error('malformed')
      return edit ?? []
    })
    return JSON.parse(new TextDecoder().decode(splice(bytes, edits))) as unknown
  }
}

describe('what stands at places that nobody has described', () => {
  test('is checked by itself', () => {
    const guard = stream()
    expect(guard({ a: 'mail bob@example.com', 'bob@example.com': [1], n: 4_111_111_111_111_111 })).toEqual({
      a: 'mail [EMAIL_REDACTED]',
      '[EMAIL_REDACTED]': [1],
      n: '[CREDIT_CARD_REDACTED]',
    })
  })

  test('and together with what came there before', () => {
    const guard = stream()
    expect(guard({ a: 'SSN 123-45-' })).toEqual({ a: 'SSN 123-45-' })
    expect(guard({ a: '6789 ok' })).toEqual({ a: '[US_SSN_REDACTED] ok' })
    expect(guard({ a: '.' })).toEqual({ a: '.' })
  })

  test('places do not mix, and labels that are said again are no text that grows', () => {
    const guard = stream()
    for (let at = 0; at < 3; at++) {
      expect(guard({ a: '123-45-', b: { a: '6789' }, c: '4111 1111 ' })).toEqual({
        a: '123-45-',
        b: { a: '6789' },
        c: '4111 1111 ',
      })
    }
  })

  test('whole answers are no streams', () => {
    const guard = stream(false)
    guard({ a: '123-45-' })
    expect(guard({ a: '6789' })).toEqual({ a: '6789' })
  })

  test('measurements, times and counts are no numbers of a person', () => {
    const value = {
      ms: 3859.348_198_970_840_7,
      at: 1_760_000_000,
      big: 123_456_789_012,
      vector: [0.123_456_789_012_345],
    }
    expect(stream()(value)).toEqual(value)
  })

  test('more places than are remembered share a memory', () => {
    const guard = stream()
    for (let at = 0; at < 64; at++)
      guard({ [`place_${at}`.replaceAll(/\d/g, digit => 'abcdefghij'[Number(digit)] ?? '')]: 'x ' })
    guard({ one: 'SSN 123-45-' })
    expect(guard({ other: '6789.' })).toEqual({ other: '[US_SSN_REDACTED].' })
  })
})

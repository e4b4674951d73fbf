import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fold, foldCode, isIgnorable, MAX_IGNORABLE_RUN } from '../../../src/guard/fold.ts'

describe('foldCode', () => {
  it('folds every decimal digit of the basic plane to ASCII, and nothing else to a digit', () => {
    const zeros: number[] = []
    for (let unit = 0; unit < 0x10000; unit++) {
      const digit = /^\p{Nd}$/u.test(String.fromCharCode(unit))
      const folded = foldCode(unit)
      expect(folded >= 0x30 && folded <= 0x39, unit.toString(16)).toBe(digit)
      if (digit && folded === 0x30) zeros.push(unit)
      if (digit) expect(folded - 0x30).toBe(unit - (zeros.at(-1) ?? 0))
    }
  })

  it('folds full-width ASCII, spaces and dashes', () => {
    for (let unit = 0x21; unit <= 0x7e; unit++) expect(foldCode(unit + 0xfee0)).toBe(unit)
    expect(fold('\u00a0\u2007\u202f\u3000').text).toBe('    ')
    expect(fold('\u2010\u2011\u2013\u2014\u2212\ufe63').text).toBe('------')
  })

  it('leaves ASCII, letters and surrogates as they are', () => {
    for (let unit = 0; unit < 0x80; unit++) expect(foldCode(unit)).toBe(unit)
    for (const unit of [0xe9, 0x416, 0x4e2d, 0xd83d, 0xde00, 0xffff]) expect(foldCode(unit)).toBe(unit)
  })
})

describe('isIgnorable', () => {
  it('is what takes no room, and no NUL', () => {
    for (const unit of [0xad, 0x200b, 0x200d, 0x2060, 0xfeff, 0xfe0f]) expect(isIgnorable(unit)).toBe(true)
    for (const unit of [0, 0x20, 0x41, 0x2028, 0xffff]) expect(isIgnorable(unit)).toBe(false)
  })
})

describe('fold', () => {
  it('gives the same string back where nothing folds', () => {
    const text = 'plain text, é, 中, 😀 and \ud83d alone'
    expect(fold(text)).toEqual({ text, starts: undefined })
  })

  it('takes the first of a run of invisible characters out and keeps the rest', () => {
    const run = (length: number) => `a${'\u200b'.repeat(length)}b`
    expect(fold(run(MAX_IGNORABLE_RUN)).text).toBe('ab')
    expect(fold(run(MAX_IGNORABLE_RUN + 2)).text).toBe('a\u200b\u200bb')
  })

  it('agrees with folding unit by unit, and maps every unit back', () => {
    const unit = fc.oneof(fc.constantFrom('\u200b', '\ufe0f', '\uff11', '\u2014', ' ', '1', 'é', '\ud83d'), fc.string())
    fc.assert(
      fc.property(fc.array(unit), parts => {
        const text = parts.join('')
        const folded = fold(text)
        let expected = ''
        let run = 0
        const starts: number[] = []
        for (let at = 0; at < text.length; at++) {
          run = isIgnorable(text.charCodeAt(at)) ? run + 1 : 0
          if (run > 0 && run <= MAX_IGNORABLE_RUN) continue
          expected += String.fromCharCode(foldCode(text.charCodeAt(at)))
          starts.push(at)
        }
        expect(folded.text).toBe(expected)
        expect([...(folded.starts ?? Array.from({ length: text.length + 1 }, (_, at) => at))]).toEqual([
          ...starts,
          text.length,
        ])
      }),
    )
  })
})

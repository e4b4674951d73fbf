import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fold, foldCode, isInvisible, MAX_INVISIBLE_RUN, rawEnd } from '../../../src/guard/fold.ts'

const plain = (text: string) => fold(text).text

describe('fold', () => {
  it('gives every decimal digit of Unicode as ASCII, and nothing else but other numerals of one digit', () => {
    let zero = 0
    for (let code = 0; code < 0x110000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue
      const char = String.fromCodePoint(code)
      const folded = plain(char)
      if (/^\p{Nd}$/u.test(char)) {
        if (folded === '0') zero = code
        expect(folded, code.toString(16)).toBe(`${code - zero}`)
      } else if (/^\d$/.test(folded)) {
        expect(char, code.toString(16)).toMatch(/^\p{No}$/u)
      }
    }
  })

  it('gives full-width ASCII, spaces, dashes and dots as ASCII', () => {
    for (let unit = 0x21; unit <= 0x7e; unit++) expect(foldCode(unit + 0xfee0)).toBe(unit)
    expect(plain('\u00a0\u2007\u202f\u3000')).toBe('    ')
    expect(plain('\u2010\u2011\u2013\u2014\u2212\ufe63')).toBe('------')
    expect(plain('192。168․0｡1')).toBe('192.168.0.1')
  })

  it('gives letters and digits in other dress as ASCII', () => {
    expect(plain('ⓙⓐⓝⓔ＠𝐞𝐱𝒶𝖒𝗽𝙡𝚎.𝕔𝕠𝕞')).toBe('jane@example.com')
    expect(plain('⓪①②③④⑤ ⁰¹²³⁴⁵⁶⁷⁸⁹ ₀₁₂₃ ❶➁➌⓵⓿ 𝟎𝟙𝟤𝟯𝟺 🯰🯱🯲 🅰🄱🅒')).toBe('012345 0123456789 0123 12310 01234 012 ABC')
    expect(plain('ℎℬℂ 𝒯')).toBe('hBC T')
  })

  it('leaves ASCII, letters and other pairs as they are', () => {
    for (let unit = 0; unit < 0x80; unit++) expect(foldCode(unit)).toBe(unit)
    for (const unit of [0xe9, 0x416, 0x4e2d, 0xd83d, 0xd835, 0xde00, 0xffff]) expect(foldCode(unit)).toBe(unit)
    const text = 'plain text, é, 中, 😀, 🌍, \ud835 and \ud83d alone, \uffff'
    expect(fold(text)).toEqual({ text, starts: undefined, run: 0 })
  })

  it('takes the first of a run of invisible characters out and keeps the rest', () => {
    const run = (length: number) => `a${'\u200b'.repeat(length)}b`
    expect(plain(run(MAX_INVISIBLE_RUN))).toBe('ab')
    expect(plain(run(MAX_INVISIBLE_RUN + 2))).toBe('a\u200b\u200bb')
    expect(plain('4\u{e0061}1\u{e0101}1')).toBe('411')
  })

  it('maps every unit back, and may be done in pieces', () => {
    const unit = fc.constantFrom(
      '\u200b',
      '\ufe0f',
      '\uff11',
      '\u2014',
      ' ',
      '1',
      'é',
      '\ud83d',
      '😀',
      '𝟏',
      '\u{e0061}',
      'ab',
    )
    fc.assert(
      fc.property(fc.array(unit), fc.array(unit), (one, other) => {
        const text = one.join('')
        const { text: folded, starts, run } = fold(text)
        for (let at = 0; at < folded.length; at++) {
          const from = starts?.[at] ?? at
          const char = text.slice(from, rawEnd(text, starts, at + 1))
          expect(plain(char) || char.charAt(0)).toBe(folded[at])
        }
        const more = other.join('')
        // Cut between two halves of a pair, both stand alone.
        fc.pre(!/[\ud800-\udbff]$/.test(text) || !/^[\udc00-\udfff]/.test(more))
        expect(folded + fold(more, run).text).toBe(plain(text + more))
      }),
    )
  })
})

describe('isInvisible', () => {
  it('is what takes no room, and no NUL', () => {
    for (const unit of [0xad, 0x200b, 0x200d, 0x2060, 0xfeff, 0xfe0f]) expect(isInvisible(unit)).toBe(true)
    for (const unit of [0, 0x20, 0x41, 0x2028, 0xffff]) expect(isInvisible(unit)).toBe(false)
  })
})

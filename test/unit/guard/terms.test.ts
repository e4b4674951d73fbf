import { describe, expect, it } from 'vitest'
import type { RuleDefinition } from '../../../src/guard/rule.ts'
import { compileRules } from '../../../src/guard/rule-set.ts'
import { Scanner, scanText } from '../../../src/guard/scanner.ts'
import { MAX_TERM_LENGTH, MAX_TERMS } from '../../../src/guard/terms.ts'

const dictionary = (terms: readonly string[], more: Partial<RuleDefinition> = {}): RuleDefinition => ({
  name: 'TERM',
  group: 'custom',
  description: '',
  terms,
  notAfter: '\\w',
  notBefore: '\\w',
  examples: [],
  counterExamples: [],
  ...more,
})

function found(rule: RuleDefinition, text: string): string {
  const compiled = compileRules([rule])
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
  return scanText(compiled.ruleSet, text, (_, match) => `<${match}>`)
}

function reason(rule: RuleDefinition): string | undefined {
  const compiled = compileRules([rule])
  return compiled.ok ? undefined : compiled.faults[0]?.reason
}

describe('a dictionary', () => {
  it('finds its terms as whole words, the longest that fits', () => {
    const rule = dictionary(['falcon', 'falcon nine', 'C++', 'a.b'])
    expect(found(rule, 'Falcon, falcons, FALCON NINE, falcon ninety, c++ and a.b, aXb')).toBe(
      '<Falcon>, falcons, <FALCON NINE>, <falcon> ninety, <c++> and <a.b>, aXb',
    )
  })

  it('finds terms with their accents as marks of their own, and such terms in ordinary texts', () => {
    const text = 'Müllers Müller, José!'
    expect(found(dictionary(['Müller', 'José']), text.normalize('NFD'))).toBe(
      'Müllers <Müller>, <José>!'.normalize('NFD'),
    )
    expect(found(dictionary(['müller', 'josé']), text)).toBe('Müllers <Müller>, <José>!')
  })

  it('minds case where it is asked to, and knows the case of letters beyond ASCII', () => {
    expect(found(dictionary(['Falcon'], { caseSensitive: true }), 'Falcon falcon FALCON')).toBe(
      '<Falcon> falcon FALCON',
    )
    expect(found(dictionary(['Müller', 'Ωmega', 'Жанна']), 'MÜLLER ωMEGA жанна')).toBe('<MÜLLER> <ωMEGA> <жанна>')
  })

  it('tells the characters of large scripts apart', () => {
    const names = Array.from({ length: 4000 }, (_, at) => String.fromCharCode(0x4e00 + at, 0x4e00 + ((at * 7) % 4000)))
    const rule = dictionary(names, { notAfter: '\\d', notBefore: '\\d' })
    expect(found(rule, `x${names[1]}y${names[3999]}z`)).toBe(`x<${names[1]}>y<${names[3999]}>z`)
    expect(found(rule, '\u4e00\u4e01 \u4e01\u4e06 \u4e01\u4e08')).toBe('\u4e00\u4e01 \u4e01\u4e06 \u4e01\u4e08')
  })

  it('folds terms like the text', () => {
    expect(found(dictionary(['Ｐｒｏｊｅｃｔ\u00a07']), 'project 7 ｐroject ７')).toBe('<project 7> <ｐroject ７>')
  })

  it('holds back what may become a term, and nothing else', () => {
    const compiled = compileRules([dictionary(['falcon', 'osprey'])])
    if (!compiled.ok) throw new Error('faults')
    const scanner = new Scanner(compiled.ruleSet, () => 'X')
    const held = ['the f', 'alc', 'on', ' and fa', 'st'].map(piece => [scanner.push(piece), scanner.heldLength])
    expect(held).toEqual([
      ['the ', 1],
      ['', 4],
      ['', 6],
      ['X and ', 2],
      ['fast', 0],
    ])
  })

  it('of ten thousand terms compiles in no time, and no text is slow for it', () => {
    const terms = Array.from(
      { length: 10_000 },
      (_, at) => `term ${(at * 7919).toString(36)} ${(at * 104_729).toString(36)}`,
    )
    const compiled = compileRules([dictionary(terms)])
    if (!compiled.ok) throw new Error('faults')
    const text = `${terms[1]}, ${terms[5000]}x, ${terms[9999]}`
    expect(scanText(compiled.ruleSet, text, () => 'X')).toBe(`X, ${terms[5000]}x, X`)
  })

  it('is refused with the reason', () => {
    expect(reason(dictionary([]))).toBe('terms: at least one')
    expect(reason(dictionary(['a', ' ']))).toBe('terms[1] is empty')
    expect(reason(dictionary(['a'.repeat(MAX_TERM_LENGTH + 1)]))).toBe('terms[0] is 257 characters long; at most 256')
    const many = Array.from({ length: MAX_TERMS + 1 }, (_, at) => `${at}`)
    expect(reason(dictionary(many))).toBe('terms: 50001; at most 50000')
    expect(reason(dictionary(['a'], { pattern: 'a' }))).toBe('either pattern or terms')
    expect(reason(dictionary(['a'], { needs: '\\d' }))).toBe('terms excludes needs and tail')
    const long = Array.from({ length: 5000 }, (_, at) => `${at}${'x'.repeat(250)}`)
    expect(reason(dictionary(long))).toMatch(/^the terms of all rules need \d+ positions; at most 1000000$/)
  })
})

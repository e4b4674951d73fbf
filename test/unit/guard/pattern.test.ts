import { describe, expect, test } from 'vitest'
import { MAX_PATTERN_LENGTH, parseClass, parsePattern } from '../../../src/guard/pattern.ts'
import type { RuleDefinition } from '../../../src/guard/rule.ts'
import { compileRules } from '../../../src/guard/rule-set.ts'
import { scanText } from '../../../src/guard/scanner.ts'

const rule = (pattern: string, more: Partial<RuleDefinition> = {}): RuleDefinition => ({
  name: 'R',
  group: 'custom',
  description: '',
  pattern,
  examples: [],
  counterExamples: [],
  ...more,
})

function redact(text: string, ...rules: RuleDefinition[]): string {
  const compiled = compileRules(rules)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
  return scanText(compiled.ruleSet, text, ({ rule: { name } }) => `<${name}>`)
}

describe('what a pattern may not be is refused, and the reason says what to write', () => {
  test.each([
    ['a*', 'unbounded repetition at 1; write {0,64} for "*"'],
    ['a+b', 'unbounded repetition at 1; write {1,64} for "+"'],
    ['a{3,}', 'unbounded repetition at 1; write {3,64}'],
    ['(a', 'group at 0 is not closed'],
    ['a)', 'unmatched ")" at 1'],
    ['[a', 'class at 0 is not closed'],
    ['[]', 'class at 0 is empty'],
    ['[z-a]', 'range out of order in the class at 0'],
    ['a{x}', '"{" at 1 does not start a repetition such as {3} or {2,8}; write \\{'],
    ['a{5,2}', 'repetition at 1 must have 0 ≤ m ≤ n, 1 ≤ n ≤ 1024'],
    ['^a', 'anchor "^" at 0; patterns match anywhere; write \\^ for the sign'],
    ['(?=a)', 'look-around or named group at 0; only ( ) and (?: ) are known'],
    ['\\b', 'unknown escape "\\b" at 0'],
    ['\\1', 'unknown escape "\\1" at 0'],
    ['\\u12', 'escape at 0 needs 4 hexadecimal digits'],
    ['?', 'nothing to repeat at 0; write \\? for the sign'],
    ['', 'matches the empty text'],
    ['a?', 'matches the empty text'],
    ['a\\', 'the pattern ends too early'],
    ['(a{1000}){2}', `longest match is 2000 characters; at most ${MAX_PATTERN_LENGTH}`],
    ['(?:(?:a|b|c|d|e|f|g|h|i|j){100}){10}', 'unrolls to 10000 positions; at most 8192'],
    [`${'('.repeat(40)}a${')'.repeat(40)}`, 'groups are nested more than 32 deep'],
  ])('%s', (pattern, reason) => {
    expect(parsePattern(pattern, false)).toEqual({ ok: false, reason })
  })

  test('every faulty rule is named, and rules of one name are refused', () => {
    expect(compileRules([rule('a*', { name: 'A' }), rule('b', { name: 'B' }), rule('c', { name: 'B' })])).toEqual({
      ok: false,
      faults: [
        { rule: 'A', reason: 'unbounded repetition at 1; write {0,64} for "*"' },
        { rule: 'B', reason: 'another rule has this name' },
      ],
    })
  })

  test('rules that tell too many characters apart are refused together', () => {
    const letters = Array.from({ length: 300 }, (_, at) =>
      rule(String.fromCharCode(0x4e00 + 2 * at), { name: `R${at}` }),
    )
    expect(compileRules(letters)).toMatchObject({ ok: false, faults: [{ rule: '*' }] })
  })

  test('a boundary must be one class', () => {
    expect(parseClass('ab', false)).toEqual({ ok: false, reason: 'must be one character class' })
  })
})

describe('what a pattern means', () => {
  test.each([
    ['EMP-[0-9]{6}', 'id emp-123456!', 'id <R>!'],
    ['a|ab|abc', 'xabcx', 'x<R>x'],
    ['(?:ab){2,3}', 'abababab', '<R>ab'],
    ['[^a-y]{2}', 'azzb', 'a<R>b'],
    ['\\x41\\u0042', 'ab', '<R>'],
    ['a.c', 'a\nc abc', 'a\nc <R>'],
    ['\\d{2}\\.\\w', '12.x', '<R>'],
    ['[\\d\\-]{3}', '1-2', '<R>'],
    ['[a\\]]{2}', 'a]', '<R>'],
  ])('%s on %j', (pattern, text, expected) => {
    expect(redact(text, rule(pattern))).toBe(expected)
  })

  test('letters are alike in either case unless the rule says otherwise', () => {
    expect(redact('ABC abc', rule('abc'))).toBe('<R> <R>')
    expect(redact('ABC abc', rule('abc', { caseSensitive: true }))).toBe('ABC <R>')
  })

  test('among equal matches the rule declared first counts, and the longest before all', () => {
    expect(redact('abcd', rule('ab', { name: 'S' }), rule('abc', { name: 'L' }))).toBe('<L>d')
    expect(redact('ab', rule('ab', { name: 'ONE' }), rule('a.', { name: 'TWO' }))).toBe('<ONE>')
  })
})

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
    ['(a', '"(" at 0 is not closed; write \\( for the sign'],
    ['a)', 'unmatched ")" at 1; write \\) for the sign'],
    ['[a', '"[" at 0 is not closed; write \\[ for the sign'],
    ['[]', 'class at 0 is empty; write \\] for the sign'],
    ['[z-a]', 'range out of order in the class at 0; write the lower character first'],
    ['[a-', 'the pattern ends in the middle of an escape, a range or a group'],
    ['[[:alpha:]]', '"[:" at 1; classes have no names: write ranges such as A-Za-z, or \\[ for the sign'],
    ['a{x}', '"{" at 1 does not start a repetition such as {3} or {2,8}; write \\{'],
    ['a{5,2}', 'repetition {m,n} at 1: n must be from 1 to 1024, and m at most n'],
    [
      'a{2,5}?',
      '"?" at 6 follows a repetition; none is lazy, the longest match counts; write (?:…)? for "or not at all"',
    ],
    ['a??', '"?" at 2 follows a repetition; none is lazy, the longest match counts; write (?:…)? for "or not at all"'],
    ['^a', 'anchor "^" at 0; patterns match anywhere; write \\^ for the sign'],
    ['(?=a)', 'look-around "(?=" at 0; set notAfter, notBefore, wholeWord or context for what stands around'],
    ['a(?<!b)', 'look-around "(?<!" at 1; set notAfter, notBefore, wholeWord or context for what stands around'],
    ['(?<year>a)', 'group "(?<y" at 0; only ( ) and (?: ) are known'],
    ['(?i)a', 'group "(?i" at 0; only ( ) and (?: ) are known, set caseSensitive'],
    ['\\b', 'word boundary "\\b" at 0; set wholeWord, notAfter or notBefore'],
    ['(a)\\1', 'back-reference "\\1" at 3; write out what it repeats'],
    ['\\p{L}', '"\\p" at 0; write the characters, such as [A-Za-zÀ-ÿ]'],
    ['\\q', 'unknown escape "\\q" at 0'],
    ['\\u12', 'escape at 0 needs 4 hexadecimal digits'],
    ['?', 'nothing to repeat at 0; write \\? for the sign'],
    ['', 'matches the empty text; at least one character has to be required'],
    ['a?', 'matches the empty text; at least one character has to be required'],
    ['a\\', 'the pattern ends in the middle of an escape, a range or a group'],
    ['(a{1000}){2}', `a match may be 2000 characters long; at most ${MAX_PATTERN_LENGTH}: lower the repetitions`],
    ['(?:(?:a|b|c|d|e|f|g|h|i|j){100}){10}', '10000 characters with repetitions written out; at most 8192: lower them'],
    [`${'('.repeat(40)}a${')'.repeat(40)}`, 'groups are nested more than 32 deep'],
  ])('%s', (pattern, reason) => {
    expect(parsePattern(pattern, false)).toEqual({ ok: false, reason })
  })

  test('what looks like these and is not, is taken', () => {
    expect(redact('a: b; [c] x} (y)', rule('[:;]'))).toBe('a<R> b<R> [c] x} (y)')
    expect(redact('x} ab abb', rule('x\\}?|(?:ab?)?b'))).toBe('<R> <R> <R>')
  })

  test('every faulty rule is named; definitions of one name are one rule', () => {
    const b = (pattern: string) => rule(pattern, { name: 'B' })
    expect(compileRules([rule('a*', { name: 'A' }), b('b'), b('c+')])).toEqual({
      ok: false,
      faults: [
        { rule: 'A', reason: 'unbounded repetition at 1; write {0,64} for "*"' },
        { rule: 'B', reason: 'unbounded repetition at 1; write {1,64} for "+"' },
      ],
    })
    expect(redact('abcd', b('b'), b('c'))).toBe('a<B><B>d')
  })

  test('rules that tell too many characters apart are refused together', () => {
    const letters = Array.from({ length: 300 }, (_, at) =>
      rule(String.fromCharCode(0x4e00 + 2 * at), { name: `R${at}` }),
    )
    expect(compileRules(letters)).toMatchObject({ ok: false, faults: [{ rule: '*' }] })
  })

  test('a boundary must be one class', () => {
    expect(parseClass('ab', false)).toEqual({
      ok: false,
      reason: 'must be one character class, such as [A-Za-z0-9] or \\d',
    })
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

import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import type { RuleDefinition } from '../../src/guard/rule.ts'
import { compileRules, type RuleSet } from '../../src/guard/rule-set.ts'
import { type Finding, Scanner, scanText } from '../../src/guard/scanner.ts'
import { naiveFindings, naiveRedact } from '../support/naive-redact.ts'

const rule = (name: string, pattern: string, more: Partial<RuleDefinition> = {}): RuleDefinition => ({
  name,
  group: 'custom',
  description: '',
  pattern,
  examples: [],
  counterExamples: [],
  ...more,
})

/** Rules over few letters, so that short random texts meet every way in which matches can overlap, fail and run on. */
const TOY_RULES = [
  rule('NUMBER', '\\d{3,5}', { notAfter: '[\\w-]', notBefore: '[\\w-]', validate: match => Number(match) % 3 !== 0 }),
  rule('PAIR', 'a(?:b|-){1,4}c', { notAfter: '[c]' }),
  rule('LONG', 'a(?:b{1,3}c){2}'),
  rule('AFTER', 'c\\d{2}', { validate: (_, before) => before.includes('b') }),
  rule('BLOCK', '-a-', { tail: { body: '[ab1 -]', end: '-b-' } }),
  rule('TOKEN', 'b1c', { tail: { body: '[a-c\\d]' }, notAfter: '\\w' }),
  rule('WORDED', '[12](?:-?[12]){1,5}', {
    needsWords: true,
    begins: (match, before) => match.length > 3 && /b/.test(before),
    validate: (match, before) => match.length > 3 && /b/.test(before) && match.endsWith('1'),
  }),
  rule('RUN', '[bc2](?:[ab2]-?){3,14}', { needs: '2', notBefore: '[c2]', validate: match => match.includes('2') }),
]

const { pattern: _, ...DICTIONARY } = rule('TERM', '', {
  terms: ['b-a', 'b-1', 'B\uff112b', 'bbca', 'cc'],
  notAfter: '[a-c]',
  notBefore: '[a-c]',
})

const RULES = [...TOY_RULES, DICTIONARY]

function compiled(rules: readonly RuleDefinition[]): RuleSet {
  const result = compileRules(rules)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result.ruleSet
}

/** Pushes the pieces; gives what was released after each, the findings, and the whole. */
function stream(rules: RuleSet, pieces: readonly string[]) {
  const findings: Finding[] = []
  const scanner = new Scanner(rules, finding => {
    findings.push(finding)
    return `[${finding.rule.name}_REDACTED]`
  })
  const steps = pieces.map(piece => ({ released: scanner.push(piece), held: scanner.heldLength }))
  const text = steps.map(({ released }) => released).join('') + scanner.end()
  return { text, steps, findings }
}

function cut(text: string, at: readonly number[]): string[] {
  const places = [...new Set(at.map(place => place % (text.length + 1)))].sort((one, other) => one - other)
  return [...places, text.length].map((place, index) => text.slice(places[index - 1] ?? 0, place))
}

const toyText = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'c',
      '1',
      '2',
      '-',
      ' ',
      '\u200b',
      '\uff11',
      '\u2013',
      '𝟏',
      '𝐚',
      '😀',
      '\u{e0062}',
      '\ud835',
      'ab',
      'bbc',
      '-a-',
      '-b-',
      'b1c',
    ),
    {
      maxLength: 40,
    },
  )
  .map(parts => parts.join(''))
const cuts = fc.array(fc.nat(200), { maxLength: 12 })

describe('streamed text', () => {
  const toy = compiled(RULES)

  test('equals the reference on the whole text, whatever the cuts', () => {
    fc.assert(
      fc.property(toyText, cuts, (text, at) => {
        expect(stream(toy, cut(text, at)).text).toBe(naiveRedact(text, RULES))
      }),
      { numRuns: 5000 },
    )
  })

  test('equals the reference when it is given as a whole', () => {
    fc.assert(
      fc.property(toyText, text => {
        expect(scanText(toy, text, ({ rule: { name } }) => `[${name}_REDACTED]`)).toBe(naiveRedact(text, RULES))
      }),
      { numRuns: 5000 },
    )
  })

  test('where the screen clears all of a text, nothing matches', () => {
    fc.assert(
      fc.property(toyText, text => {
        if (toy.screen.isClear(text)) {
          expect(naiveFindings(text, RULES)).toEqual([])
        }
      }),
      { numRuns: 5000 },
    )
  })

  test('rows that are forgotten at any time change nothing', () => {
    const forgetful = compiled(RULES)
    let state = 1
    for (const rows of [forgetful.automaton.rows, forgetful.screen.rows]) {
      const rowOf = rows.rowOf.bind(rows)
      vi.spyOn(rows, 'rowOf').mockImplementation((...given) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        if (state < 0x1000_0000) rows.forget()
        return rowOf(...given)
      })
    }
    fc.assert(
      fc.property(toyText, cuts, (text, at) => {
        expect(stream(forgetful, cut(text, at)).text).toBe(naiveRedact(text, RULES))
      }),
      { numRuns: 3000 },
    )
    expect(forgetful.automaton.rows.epoch).toBeGreaterThan(100)
    expect(forgetful.screen.rows.epoch).toBeGreaterThan(100)
  })

  test('long runs of zero-width characters do not change that', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', '12', '\u200b'.repeat(7), '\u200b', '-', '\ufeff'.repeat(9)), {
        maxLength: 20,
      })
      .map(parts => parts.join(''))
    fc.assert(
      fc.property(text, cuts, (whole, at) => {
        expect(stream(toy, cut(whole, at)).text).toBe(naiveRedact(whole, RULES))
      }),
      { numRuns: 3000 },
    )
  })

  test('no character of a match is released before it is replaced', () => {
    fc.assert(
      fc.property(toyText, text => {
        const expected = naiveFindings(text, RULES)
        let released = ''
        const redacted = naiveRedact(text, RULES)
        for (const step of stream(toy, [...text]).steps) released += step.released
        expect(redacted.startsWith(released)).toBe(true)
        expect(expected.every(({ start, end }) => end > start)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('what is held back could still become part of a match, and nothing else is', () => {
    // Without validators, "could" is decided by trying continuations: the longest toy rule is 9, so 6 letters go far enough
    // for all that are held.
    const rules = [
      rule('PAIR', 'a(?:b|-){1,2}c', { notAfter: '[c]' }),
      rule('TWO', 'ca', { notBefore: 'a' }),
      rule('B', 'bb'),
    ]
    const set = compiled(rules)
    const continuations = everyText('abc-', 4)
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), maxLength: 10 }), text => {
        const { steps } = stream(set, [text])
        const held = steps[0]?.held ?? 0
        const needed = Math.max(...continuations.map(more => undecided(text, more, rules)))
        expect(held).toBe(needed)
      }),
      { numRuns: 150 },
    )
  })
})

/** How much of `text` some continuation changes: from the first place where the findings with and without it differ. */
function undecided(text: string, more: string, rules: readonly RuleDefinition[]): number {
  const touching = naiveFindings(text + more, rules).find(({ start, end }) => start < text.length && end > text.length)
  const settled = naiveFindings(text, rules)
  const along = naiveFindings(text + more, rules)
  const changed = along
    .filter(({ start }) => start < text.length)
    .map(({ start, end, rule: name }) => `${start} ${end} ${name}`)
  const before = settled.map(({ start, end, rule: name }) => `${start} ${end} ${name}`)
  const firstChange = Math.min(
    ...settled.filter((_, at) => !changed.includes(before[at] ?? '')).map(({ start }) => start),
    touching?.start ?? text.length,
    text.length,
  )
  return text.length - firstChange
}

function everyText(letters: string, length: number): string[] {
  let texts = ['']
  const all = ['']
  for (let size = 1; size <= length; size++) {
    texts = texts.flatMap(text => [...letters].map(letter => text + letter))
    all.push(...texts)
  }
  return all
}

describe('the built-in rules', () => {
  const builtIn = compiled(BUILT_IN_RULES)
  const samples = BUILT_IN_RULES.flatMap(({ examples, counterExamples }) =>
    [...examples, ...counterExamples].map(text => text.replaceAll(/[«»]/g, '')),
  )

  test('equal the reference on their examples, whatever the cuts and neighbours', () => {
    const text = fc
      .array(fc.oneof(fc.constantFrom(...samples), fc.string({ maxLength: 8 })), { minLength: 1, maxLength: 3 })
      .map(parts => parts.join(' '))
    fc.assert(
      fc.property(text, cuts, (whole, at) => {
        expect(stream(builtIn, cut(whole, at)).text).toBe(naiveRedact(whole, BUILT_IN_RULES))
      }),
      { numRuns: 200 },
    )
  })

  test('hold back no more than the word in progress of plain prose', () => {
    const prose =
      'The model returns a streaming answer that contains several words, which are then checked by our gateway.'
    const { steps } = stream(builtIn, [...prose])
    for (const [at, { held }] of steps.entries()) {
      const word = /\S{0,2}\s?\S*$/.exec(prose.slice(0, at + 1))?.[0] ?? ''
      expect(held).toBeLessThanOrEqual(word.length)
    }
  })
})

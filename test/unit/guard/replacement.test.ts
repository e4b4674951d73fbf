import { describe, expect, test } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { createDigest } from '../../../src/guard/digest.ts'
import { byGroup, compileSide, type GuardAction, type GuardSide, isEnforced } from '../../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../../src/guard/recognisers/index.ts'
import { hashLabel, mask } from '../../../src/guard/replacement.ts'
import type { RuleDefinition } from '../../../src/guard/rule.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { naiveFindings } from '../../support/naive-redact.ts'

const digest = createDigest(nodeHashing, new TextEncoder().encode('a secret of the tests, long enough'))
const own = (pattern: string, name = 'OWN'): RuleDefinition => ({
  name,
  group: 'custom',
  description: '',
  pattern,
  examples: [],
  counterExamples: [],
})
const pii = { ...own('x'), group: 'pii' } as const
const secret = { ...own('x'), group: 'secrets' } as const

function sideOf(rules: readonly RuleDefinition[], action: GuardAction): GuardSide {
  const compiled = compileSide(
    rules.map(rule => ({ rule, action })),
    digest,
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
  return compiled.side
}

describe('a mask', () => {
  test.each([
    ['a card', '4111-1111-1111-1234', '****-****-****-1234'],
    ['a card without separators', '4111111111111234', '************1234'],
    ['a short value: a third at most', '12-34-56', '**-**-56'],
    ['a very short value', 'ab', '**'],
    ['an address', 'jane.doe@example.com', '****.***@******e.com'],
    ['odd separators, folded', '4111\u20111111\u00a01111\u20111234', '****-**** ****-1234'],
    ['invisible characters, left out', '41\u200b11-1111-1111-12\u200b34', '****-****-****-1234'],
    ['digits of another script', '４１１１-１１１１-１１１１-１２３４', '****-****-****-１２３４'],
    ['letters beyond the basic plane', '𝟏𝟐𝟑𝟒𝟓𝟔', '****𝟓𝟔'],
    ['other signs, hidden', 'a:b/c#d_e%f=g', '***/******f*g'],
  ])('of %s', (_, value, expected) => {
    expect(mask(pii, value)).toBe(expected)
  })

  test('of a secret leaves nothing of its form', () => {
    expect(mask(secret, 'p@ss-w.ord/1 23!')).toBe('***********1*23*')
  })

  test('keeps nothing that a rule would find again', () => {
    const guard = new TextGuard(sideOf([own('[0-9]{1,9}')], 'mask'))
    expect(guard.whole('no. 123456789, 12')).toBe('no. *********, **')
  })

  test('gives way to the label where a rule would find even stars', () => {
    expect(new TextGuard(sideOf([own('[a-z0-9*]{6}')], 'mask')).whole('Q abc123.')).toBe('Q [OWN_REDACTED].')
  })
})

describe('a hash', () => {
  const [email, card, bearer] = ['EMAIL', 'CREDIT_CARD', 'GITHUB_TOKEN'].map(name => {
    const rule = BUILT_IN_RULES.find(known => known.name === name)
    if (!rule) throw new Error(name)
    return rule
  }) as [RuleDefinition, RuleDefinition, RuleDefinition]
  const of = (rule: RuleDefinition, value: string) => hashLabel(rule, value, digest)

  test('is the same label for every spelling of a value', () => {
    const spellings = [
      '4111-1111-1111-1111',
      '4111 1111 1111 1111',
      '4111111111111111',
      '４１１１‑1111‑1111‑11\u200b11',
    ]
    expect(new Set(spellings.map(spelling => of(card, spelling))).size).toBe(1)
    expect(of(card, spellings[0] ?? '')).toMatch(/^\[CREDIT_CARD_[0-9a-f]{12}\]$/)
    expect(of(email, 'Jane@Example.com')).toBe(of(email, 'jane@example.com'))
  })

  test('differs between values, rules and keys', () => {
    expect(of(email, 'jean-luc@example.com')).not.toBe(of(email, 'jeanluc@example.com'))
    expect(of(bearer, 'aBc')).not.toBe(of(bearer, 'abc'))
    expect(of(bearer, 'a-1')).not.toBe(of(bearer, 'a1'))
    expect(of(own('x', 'A'), '1').slice(3)).not.toBe(of(own('x', 'B'), '1').slice(3))
    const other = createDigest(nodeHashing, new TextEncoder().encode('another secret of the tests, long'))
    expect(hashLabel(email, 'a@b.example', other)).not.toBe(of(email, 'a@b.example'))
  })

  test('is no HMAC that the secret itself would give: its key is another one', () => {
    const secretKey = new TextEncoder().encode('a secret of the tests, long enough')
    expect(digest('text')).not.toBe(nodeHashing.hmacSha256(secretKey, 'text'))
  })

  test('needs a key', () => {
    expect(() => compileSide([{ rule: email, action: 'hash' }])).toThrow('key')
  })
})

const samples = BUILT_IN_RULES.flatMap(({ examples }) => examples.map(text => text.replaceAll(/[«»]/g, '')))

describe.each(['redact', 'mask', 'hash'] as const)('what %s leaves', action => {
  const rules = byGroup(BUILT_IN_RULES, { pii: action, secrets: action })
    .filter(({ action: made }) => isEnforced(made))
    .map(({ rule }) => rule)
  const side = sideOf(rules, action)

  test('of the examples of every rule, is found by no rule in a second pass', () => {
    for (const sample of samples) {
      const once = new TextGuard(side).whole(sample)
      expect(once).not.toBe(sample)
      expect([sample, once, new TextGuard(side).whole(once)]).toEqual([sample, once, once])
    }
  })

  test('says at most four letters or digits of a value, and of an open-ended one nothing', () => {
    const names = new Map(rules.map(rule => [rule.name, rule]))
    for (const sample of samples.filter(text => text.length < 300)) {
      for (const { rule, start, end } of naiveFindings(sample, rules)) {
        const value = sample.slice(start, end)
        const definition = names.get(rule)
        if (!definition) throw new Error(rule)
        const left = new TextGuard(side).replacementOf(definition, value)
        if (action === 'redact' || definition.tail) expect(left).toBe(`[${rule}_REDACTED]`)
        else if (action === 'mask') {
          const shown = left === `[${rule}_REDACTED]` ? '' : left.replaceAll(/[^\p{L}\p{N}]/gu, '')
          expect(shown.length).toBeLessThanOrEqual(Math.min(4, value.length / 3))
        } else expect(left).toMatch(new RegExp(`^\\[${rule}_[0-9a-f]{12}\\]$`))
      }
    }
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { effectivePolicies } from '../../../src/config/effective-policy.ts'
import { type Direction, exceptionFor, RuleBook } from '../../../src/config/rules-in-force.ts'
import { BUILT_IN_RULES, LOCALES, OPTIONAL_RULES } from '../../../src/guard/recognisers/index.ts'
import { load, MINIMAL } from '../../support/config.ts'

async function configOf(more: string): Promise<Config> {
  const result = await load(MINIMAL + more)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result.config
}

const guardOf = async (guard: string) => (await configOf(`guard: ${guard}`)).guard

/** What is done about a rule's findings, and the path of what says so. */
function decided(guard: Config['guard'], direction: Direction, exception?: number) {
  const { rules } = new RuleBook(guard).side(direction, exception)
  return new Map(rules.map(({ rule, action, setBy }) => [rule.name, `${action} by ${setBy}`]))
}

describe('what is done about a finding', () => {
  test('a rule by name goes before its locale, and that before its group', async () => {
    const input = decided(
      await guardOf(
        '{ input: { pii: redact, locales: [us], rules: { EMAIL: off, UK_NHS: block, EMAIL_SPELLED: flag } } }',
      ),
      'input',
    )
    expect(input.get('EMAIL')).toBe('off by guard.input.rules.EMAIL')
    expect(input.get('PHONE')).toBe('redact by guard.input.pii')
    expect(input.get('US_SSN')).toBe('redact by guard.input.pii')
    expect(input.get('UK_NINO')).toBe('off by guard.input.locales')
    expect(input.get('UK_NHS')).toBe('block by guard.input.rules.UK_NHS')
    expect(input.get('EMAIL_SPELLED')).toBe('flag by guard.input.rules.EMAIL_SPELLED')
  })

  test('a rule that has to be switched on is off whatever its group is', async () => {
    const guard = await guardOf('{ output: { pii: block } }')
    expect(decided(guard, 'output').get('EMAIL_SPELLED')).toMatch(/^off /)
  })

  test('an own rule has its own action where it looks, and by name any anywhere', async () => {
    const guard = await guardOf(`{
      input: { rules: { B: block } }, output: { rules: { B: flag } },
      rules: [{ name: A, pattern: abc, on: [input] }, { name: B, pattern: bcd, on: [input] }],
      exceptions: [{ match: { team: a }, input: { rules: { A: off } }, output: { rules: { A: redact } } }] }`)
    const own = (direction: Direction, exception?: number) =>
      ['A', 'B'].map(name => decided(guard, direction, exception).get(name))
    expect(own('input')).toEqual(['redact by guard.rules[0].action', 'block by guard.input.rules.B'])
    expect(own('output')).toEqual(['off by guard.rules[0].on', 'flag by guard.output.rules.B'])
    expect(own('input', 0)).toEqual(['off by guard.exceptions[0].input.rules.A', 'block by guard.input.rules.B'])
    expect(own('output', 0)).toEqual(['redact by guard.exceptions[0].output.rules.A', 'flag by guard.output.rules.B'])
  })

  test('an exception is laid over key by key: what it does not name stays', async () => {
    const guard = await guardOf(`{
      input: { pii: redact, locales: [us], rules: { EMAIL: block, PHONE: off } },
      exceptions: [{ match: { team: a }, input: { pii: off, rules: { PHONE: flag } } }, { match: { team: b }, input: { locales: [] } }] }`)
    const first = decided(guard, 'input', 0)
    expect(first.get('EMAIL')).toBe('block by guard.input.rules.EMAIL')
    expect(first.get('PHONE')).toBe('flag by guard.exceptions[0].input.rules.PHONE')
    expect(first.get('IBAN')).toBe('off by guard.exceptions[0].input.pii')
    expect(first.get('UK_NHS')).toBe('off by guard.input.locales')
    const second = decided(guard, 'input', 1)
    expect(second.get('US_SSN')).toBe('off by guard.exceptions[1].input.locales')
    expect(second.get('IBAN')).toBe('redact by guard.input.pii')
    expect(decided(guard, 'output', 0)).toEqual(decided(guard, 'output'))
  })

  test('is what four lines say, for any settings', async () => {
    const base = await guardOf('{ exceptions: [{ match: { team: a }, input: { pii: off } }] }')
    const rules = [...BUILT_IN_RULES, ...OPTIONAL_RULES]
    const action = fc.constantFrom('off' as const, 'flag' as const, 'redact' as const, 'block' as const)
    const name = fc.constantFrom('EMAIL', 'EMAIL_SPELLED', 'US_SSN', 'DE_TAX_ID', 'JWT', 'UK_NHS')
    const locales = fc.subarray([...LOCALES])
    const named = fc.dictionary(name, action)
    const general = fc.record(
      { pii: action, secrets: action, rules: named, locales },
      { requiredKeys: ['pii', 'secrets', 'rules'] },
    )
    const special = fc.record({ pii: action, secrets: action, rules: named, locales }, { requiredKeys: [] })
    fc.assert(
      fc.property(general, special, (input, over) => {
        const guard: Config['guard'] = {
          ...base,
          input: { injection: 'off', injectionThreshold: 0.7, ...input },
          exceptions: [{ match: { team: ['a'] }, input: over }],
        }
        const merged = { ...input, ...over, rules: { ...input.rules, ...over.rules } }
        for (const { rule, action: found } of new RuleBook(guard).side('input', 0).rules) {
          const inPack = rule.locale === undefined || (merged.locales ?? LOCALES).includes(rule.locale)
          const byGroup = inPack && !rule.optional ? merged[rule.group as 'pii' | 'secrets'] : 'off'
          expect([rule.name, found]).toEqual([rule.name, merged.rules[rule.name] ?? byGroup])
        }
        expect(new RuleBook(guard).side('input', 0).rules).toHaveLength(rules.length)
      }),
      { numRuns: 100 },
    )
  })
})

describe('whom an exception is for', () => {
  test('all that it names has to hold; of several values one; the first counts', async () => {
    const off = 'input: { pii: off }'
    const guard = await guardOf(`{ exceptions: [
      { match: { team: [a, b], env: x }, ${off} }, { match: { team: b }, ${off} }, { match: { model: [m] }, ${off} } ] }`)
    expect(exceptionFor(guard, { team: 'a', env: 'x', model: 'm' })).toBe(0)
    expect(exceptionFor(guard, { team: 'b', env: 'x' })).toBe(0)
    expect(exceptionFor(guard, { team: 'b', env: 'y', model: 'm' })).toBe(1)
    expect(exceptionFor(guard, { team: 'a', env: 'y', model: 'm' })).toBe(2)
    expect(exceptionFor(guard, { team: 'a' })).toBeUndefined()
    expect(exceptionFor(guard, {})).toBeUndefined()
  })
})

describe('what applies to a caller', () => {
  test('is told for models apart where it differs, with the limits that count', async () => {
    const models = ['m', 'n', 'o'].map(id => `{ id: ${id}, upstreams: [{ url: http://a/v1, kind: vllm }] }`)
    const result = await load(`models: [${models.join()}]
audit: { hmacSecret: 0123456789abcdef0123456789abcdef }
quotas: [{ name: all, per: [], requests: 9, window: 1m }, { name: legal, match: { team: legal, model: n }, per: [], requests: 1, window: 1m }]
guard:
  rules: [{ name: A, pattern: abc }]
  exceptions: [{ match: { team: legal, model: [n, o] }, input: { pii: off, injection: flag }, output: { maxCharacters: 10 } }]
`)
    if (!result.ok) throw new Error(JSON.stringify(result.faults))
    const legal = effectivePolicies(result.config, { team: 'legal' }, ['m', 'n', 'o'])
    expect(legal.map(({ models: ids, exception, quotas }) => [ids, exception, quotas.map(q => q.name)])).toEqual([
      [['m'], null, ['all']],
      [['n'], 'guard.exceptions[0]', ['all', 'legal']],
      [['o'], 'guard.exceptions[0]', ['all']],
    ])
    expect(legal[1]).toMatchObject({
      input: {
        injection: { value: 'flag', setBy: 'guard.exceptions[0].input.injection' },
        injectionThreshold: { value: 0.7, setBy: 'guard.input.injectionThreshold' },
        pii: { value: 'off', setBy: 'guard.exceptions[0].input.pii' },
        secrets: { value: 'block', setBy: 'guard.input.secrets' },
        locales: { value: 'all', setBy: 'guard.input.locales' },
      },
      output: { maxCharacters: { value: 10, setBy: 'guard.exceptions[0].output.maxCharacters' } },
    })
    // What follows its group is not listed by name.
    expect(legal[1]?.input.rules).toEqual({ A: { value: 'redact', setBy: 'guard.rules[0].action' } })
    const others = effectivePolicies(result.config, { team: 'blue' }, ['m', 'n', 'o'])
    expect(others.map(({ models: ids }) => ids)).toEqual([['m', 'n', 'o']])
  })
})

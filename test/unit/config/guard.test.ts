import { describe, expect, test } from 'vitest'
import { load, MINIMAL } from '../../support/config.ts'

type Files = Readonly<Record<string, string>>

/** The faults of a guard section, as `path: reason`. */
async function faults(guard: string, files: Files = {}): Promise<string[]> {
  const result = await load(`${MINIMAL}guard: ${guard}`, {}, files)
  return result.ok ? [] : result.faults.map(({ path, reason }) => `${path}: ${reason}`)
}

async function guardOf(guard: string, files: Files = {}) {
  const result = await load(`${MINIMAL}guard: ${guard}`, {}, files)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result
}

const rule = (more: string) => `{ rules: [{ name: A, ${more} }] }`

describe('rules by name, locales and matches', () => {
  test('are laid out for both directions and for exceptions', async () => {
    const { config, warnings } = await guardOf(
      `
      input: { rules: { EMAIL: redact, EMAIL_SPELLED: flag, A: block }, locales: [us, uk] }
      output: { rules: { PHONE: off }, locales: [] }
      rules: [{ name: A, pattern: abc }]
      exceptions: [{ match: { team: [legal, hr], env: production }, input: { rules: { A: off }, locales: [de] } }]
    `.replaceAll(/^ {6}/gm, '  '),
    )
    expect(warnings).toEqual([])
    expect(config.guard).toMatchObject({
      input: { rules: { EMAIL: 'redact', EMAIL_SPELLED: 'flag', A: 'block' }, locales: ['us', 'uk'], pii: 'flag' },
      output: { rules: { PHONE: 'off' }, locales: [] },
      exceptions: [
        {
          match: { team: ['legal', 'hr'], env: ['production'] },
          input: { rules: { A: 'off' }, locales: ['de'] },
        },
      ],
    })
    expect((await guardOf('{}')).config.guard.input).not.toHaveProperty('locales')
  })

  test.each([
    [
      '{ input: { rules: { EMIAL: off } } }',
      'guard.input.rules.EMIAL: there is no rule of this name; did you mean "EMAIL"?',
    ],
    [
      '{ output: { rules: { email: off } } }',
      'guard.output.rules.email: there is no rule of this name; did you mean "EMAIL"?',
    ],
    [
      '{ rules: [{ name: PROJECTS, pattern: abc }], exceptions: [{ match: { team: a }, output: { rules: { PROJECT: off } } }] }',
      'guard.exceptions[0].output.rules.PROJECT: there is no rule of this name; did you mean "PROJECTS"?',
    ],
    [
      '{ input: { rules: { ZZZZZZZZZZZZ: off } } }',
      'guard.input.rules.ZZZZZZZZZZZZ: there is no rule of this name; "sallyport guard rules" lists them',
    ],
    ['{ input: { rules: { EMAIL: "no" } } }', 'guard.input.rules.EMAIL: should be one of: off, flag'],
    ['{ output: { rules: { EMAIL: pseudonymise } } }', 'guard.output.rules.EMAIL: pseudonymise is for input only'],
    ['{ input: { rules: [EMAIL] } }', 'guard.input.rules: should be a mapping of keys to values'],
    ['{ input: { rules: EMAIL } }', 'guard.input.rules: should be a mapping of keys to values'],
    ['{ input: { locales: [us, xx] } }', 'guard.input.locales[1]: should be one of: ae, ar,'],
    ['{ input: { locales: us } }', 'guard.input.locales: should be a list'],
    ['{ input: { locale: [us] } }', 'guard.input.locale: unknown key; did you mean "locales"?'],
    [
      '{ exceptions: [{ match: { team: [] }, input: { pii: off } }] }',
      'guard.exceptions[0].match.team: should name at least one',
    ],
    [
      '{ exceptions: [{ match: { team: [a, "b c"] }, input: { pii: off } }] }',
      'guard.exceptions[0].match.team[1]: should have only letters',
    ],
    [
      '{ exceptions: [{ match: { team: 3 }, input: { pii: off } }] }',
      'guard.exceptions[0].match.team: should be a name or a list of names',
    ],
    [
      '{ exceptions: [{ match: { model: [m, x] }, input: { pii: off } }] }',
      'guard.exceptions[0].match.model: there is no model',
    ],
    ['{ exceptions: [{ match: { team: a }, input: {} }] }', 'guard.exceptions[0]: changes nothing'],
  ])('%s is a fault', async (guard, fault) => {
    const found = await faults(guard)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(fault)
  })

  test('an exception that can never count is warned about', async () => {
    const off = 'input: { pii: off }'
    const { warnings } = await guardOf(`{ exceptions: [
      { match: { team: [a, b] }, ${off} }, { match: { team: b, env: x }, ${off} }, { match: { env: x }, ${off} },
      { match: { team: [b, c] }, ${off} }, { match: { env: x, app: [p, q] }, ${off} } ] }`)
    expect(warnings.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
      'guard.exceptions[1]: never counts: guard.exceptions[0] matches all of the same and stands in front',
      'guard.exceptions[4]: never counts: guard.exceptions[2] matches all of the same and stands in front',
    ])
  })

  test('exceptions may ask for so many different sets of rules', async () => {
    const exceptions = (count: number, set: (index: number) => string) =>
      `{ exceptions: [${Array.from({ length: count }, (_, at) => `{ match: { team: t${at} }, input: ${set(at)} }`).join()}] }`
    // Each by a rule of its own, which is two sets: those that act and those that flag.
    const names = ['EMAIL', 'PHONE', 'CREDIT_CARD', 'IBAN', 'US_SSN', 'IP_ADDRESS', 'MAC_ADDRESS']
    const subset = (at: number) => names.filter((_, bit) => at & (1 << bit)).map(name => `${name}: redact`)
    const found = await faults(exceptions(100, at => `{ rules: { ${subset(at + 1).join()} } }`))
    expect(found).toEqual([
      expect.stringMatching(/^guard\.exceptions: together they ask for 20\d different sets of rules, .*at most 64/),
    ])
    expect(await faults(exceptions(900, at => `{ rules: { ${subset((at % 20) + 1).join()} } }`))).toEqual([])
  })
})

describe('rules of the company’s own', () => {
  test.each([
    ['pattern: "EMP-[0-9]+"', 'guard.rules[0].pattern: rule A: unbounded repetition at 9; write {1,64} for "+"'],
    ['pattern: "(?=x)"', 'guard.rules[0].pattern: rule A: look-around "(?=" at 0; set notAfter'],
    ['on: [input]', 'guard.rules[0]: needs one of pattern, terms and file'],
    ['pattern: abc, replacement: "[EMAIL_1]"', 'guard.rules[0].replacement: has the form of a stand-in'],
    ['pattern: abc, terms: [abc]', 'guard.rules[0]: needs one of pattern, terms and file'],
    [
      'pattern: abc, action: pseudonymise',
      'guard.rules[0].action: pseudonymise is for what callers send; with it, set on: [input]',
    ],
    ['terms: [abc], file: t.txt', 'guard.rules[0]: needs one of terms and file, not both'],
    ['pattern: abc, wholeWord: true, notAfter: "\\\\d"', 'guard.rules[0].wholeWord: sets notAfter and notBefore'],
    ['pattern: abc, notAfter: "ab"', 'guard.rules[0].pattern: rule A: notAfter: must be one character class, such as'],
    ['pattern: abc, wholeWord: "yes"', 'guard.rules[0].wholeWord: should be true or false'],
    ['pattern: abc, context: ["a.*"]', 'guard.rules[0].context[0]: should be words, such as "badge number"'],
    ['pattern: abc, context: []', 'guard.rules[0].context: should name at least one word'],
    ['pattern: abc, replacement: "a\\nb"', 'guard.rules[0].replacement: should have no line ends'],
    ['pattern: abc, caseSensetive: true', 'guard.rules[0].caseSensetive: unknown key; did you mean "caseSensitive"?'],
    ['pattern: "\\\\w{1,64}"', 'guard.rules[0].pattern: rule A: matches ordinary prose (76 % of a sample)'],
    ['pattern: ".{1,10}"', 'guard.rules[0].pattern: rule A: matches ordinary prose (100 % of a sample)'],
    ['pattern: "[aeiou]"', 'guard.rules[0].pattern: rule A: matches ordinary prose'],
    [
      'terms: [the, it, of, in, as, to, and, is, on, for, you, we, are], wholeWord: false',
      'guard.rules[0].terms: rule A: matches ordinary prose',
    ],
  ])('%s is a fault', async (more, fault) => {
    const found = await faults(rule(more))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(fault)
  })

  test('the name of a built-in rule is taken, also of one that is off', async () => {
    for (const name of ['EMAIL', 'EMAIL_SPELLED']) {
      expect(await faults(`{ rules: [{ name: ${name}, pattern: abc }] }`)).toEqual([
        'guard.rules[0].name: a built-in rule has this name; choose another',
      ])
    }
  })

  test('words are whole in dictionaries, and in patterns where it is said', async () => {
    const { config } = await guardOf(
      '{ rules: [{ name: A, pattern: abc }, { name: B, terms: [abc] }, { name: C, terms: [abc], notBefore: "x" }] }',
    )
    expect(config.guard.rules.map(({ wholeWord }) => wholeWord)).toEqual([false, true, false])
  })
})

describe('dictionaries', () => {
  test('a file has a term a line, and comments', async () => {
    const text = '\ufeff# projects\r\nFalcon \r\n\r\n  Osprey Nest\n\\#secret\nCafe\u0301\n'
    const { config } = await guardOf(rule('file: lists/terms.txt'), { '/base/lists/terms.txt': text })
    expect(config.guard.rules[0]).toMatchObject({
      file: '/base/lists/terms.txt',
      terms: ['Falcon', 'Osprey Nest', '#secret', 'Café'],
    })
  })

  const file = (text: string): [string, Files] => ['file: t.txt', { '/base/t.txt': text }]
  test.each<[string, [string, Files?], string[]]>([
    [
      'a file that is not there',
      ['file: no.txt'],
      ['guard.rules[0].file: the file no.txt cannot be read: there is no such file'],
    ],
    ['an empty file', file('# nothing\n\n'), ['guard.rules[0].file: has no terms']],
    [
      'a file that is too large',
      file('x'.repeat(1024 * 1024 + 1)),
      ['guard.rules[0].file: the file t.txt cannot be read: it has more than 1048576 characters'],
    ],
    ['an empty list', ['terms: []'], ['guard.rules[0].terms: has no terms']],
    [
      'terms that nobody wants',
      ['terms: ["", x, "--", "ok", 5]'],
      ['guard.rules[0].terms[4]: should be text (put it in quotes if it looks like a number)'],
    ],
    [
      'terms that are too short, in a list',
      ['terms: ["", x, "--", "o\\u200b", ok]'],
      [
        'guard.rules[0].terms[0]: shorter than 2 characters: almost any text has it',
        'guard.rules[0].terms[1]: shorter than 2 characters: almost any text has it',
        'guard.rules[0].terms[2]: has no letter or digit: ordinary punctuation would match',
        'guard.rules[0].terms[3]: shorter than 2 characters: almost any text has it',
      ],
    ],
    [
      'a file in UTF-16',
      file('F\0a\0l\0c\0o\0n\0'),
      ['guard.rules[0].file: line 1: holds a control character: is the file UTF-8, with one term a line?'],
    ],
    [
      'terms that are too long or there twice, in a file',
      file(`Falcon\n# or\nfalcon\nＦＡＬＣＯＮ\n${'x'.repeat(129)}`),
      [
        'guard.rules[0].file: line 3: the same term as line 1',
        'guard.rules[0].file: line 4: the same term as line 1',
        'guard.rules[0].file: line 5: longer than 128 characters',
      ],
    ],
  ])('%s', async (_, [more, files], expected) => {
    expect(await faults(rule(more), files)).toEqual(expected)
  })

  test('terms that differ in case only are two where case counts', async () => {
    expect(await faults(rule('terms: [Falcon, falcon], caseSensitive: true'))).toEqual([])
  })

  test('no fault shows a term, and the first ten say enough', async () => {
    const found = await faults(rule('file: t.txt'), { '/base/t.txt': `${'Nightfall\n'.repeat(1000)}` })
    expect(found).toHaveLength(11)
    expect(found.at(-1)).toBe('guard.rules[0].file: 989 more faults')
    expect(found.join()).not.toMatch(/nightfall/i)
  })

  test('there may be so many terms in all', async () => {
    const terms = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name} ${at}`).join('\n')
    const rules = '{ rules: [{ name: A, file: a.txt }, { name: B, file: b.txt }] }'
    expect(await faults(rules, { '/base/a.txt': terms('a', 15_000), '/base/b.txt': terms('b', 5001) })).toEqual([
      'guard.rules: 20001 terms in all dictionaries together; at most 20000',
    ])
  })
})

import { describe, expect, test } from 'vitest'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { compilePolicies, type PolicyBook } from '../../../src/pipeline/policy-book.ts'
import { load, MINIMAL } from '../../support/config.ts'

async function bookOf(guard: string, files: Readonly<Record<string, string>> = {}): Promise<PolicyBook> {
  const result = await load(`${MINIMAL}guard: ${guard}`, {}, files)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  const compiled = compilePolicies(result.config.guard, text => `digest of ${text.length}`)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
  return compiled.book
}

const WHO = { team: 'blue', app: 'tests', env: 'test', model: 'm' }

/** What a caller of the team gets of a text that the model says. */
function output(book: PolicyBook, text: string, team = 'blue'): string {
  return new TextGuard(book.policyFor({ ...WHO, team }).output).whole(text)
}

describe('policies', () => {
  test('are those of the exception that counts, else the general one', async () => {
    const book = await bookOf(`{
      output: { rules: { EMAIL_SPELLED: redact } },
      exceptions: [{ match: { team: [legal, hr] }, output: { rules: { EMAIL_SPELLED: off, US_SSN: off }, maxCharacters: 5 } }] }`)
    const text = 'jane at example dot com, 123-45-6789, a@b.io'
    expect(output(book, text)).toBe('[EMAIL_SPELLED_REDACTED], [US_SSN_REDACTED], [EMAIL_REDACTED]')
    for (const team of ['legal', 'hr']) {
      expect(output(book, text, team)).toBe('jane at example dot com, 123-45-6789, [EMAIL_REDACTED]')
      expect(book.policyFor({ ...WHO, team }).maxCharacters).toBe(5)
    }
    expect(book.policyFor(WHO).maxCharacters).toBe(Number.POSITIVE_INFINITY)
  })

  test('have any action by the name of a rule', async () => {
    const book = await bookOf('{ output: { rules: { EMAIL: hash, CREDIT_CARD: mask, US_SSN: block } } }')
    expect(output(book, 'a@b.io 4111 1111 1111 1111')).toBe('[EMAIL_digest of 12] **** **** **** 1111')
    expect(output(book, 'SSN 123-45-6789')).toBe('SSN ')
  })

  test('the pack of a locale is on where it is named alone', async () => {
    const book = await bookOf('{ output: { locales: [uk] } }')
    expect(output(book, 'SSN 123-45-6789, NINO AB123456C, a@b.io')).toBe(
      'SSN 123-45-6789, NINO [UK_NINO_REDACTED], [EMAIL_REDACTED]',
    )
  })

  test('share what they have in common, whatever is done about the findings', async () => {
    const book = await bookOf(`{ exceptions: [
      { match: { team: a }, output: { pii: block } }, { match: { team: b }, output: { pii: block } },
      { match: { team: c }, output: { maxCharacters: 3 } }, { match: { team: d }, output: { pii: flag } } ] }`)
    const [general, a, b, c, d] = ['x', 'a', 'b', 'c', 'd'].map(team => book.policyFor({ ...WHO, team }))
    expect(a?.output).toBe(b?.output)
    expect(a?.output).not.toBe(general?.output)
    expect(a?.output.enforced).toBe(general?.output.enforced)
    expect(c?.output).toBe(general?.output)
    expect(c?.input).toBe(general?.input)
    expect(d?.output.enforced).not.toBe(general?.output.enforced)
    // Secrets act and personal data flag on input as they do here on output.
    expect(d?.output.enforced).toBe(general?.input.enforced)
    expect(d?.output.flagged).toBe(general?.input.flagged)
  })

  test('the record is redacted of what the caller may see, and not again of what is redacted anyway', async () => {
    const book = await bookOf(`{
      rules: [{ name: A, pattern: abc }],
      exceptions: [{ match: { team: a }, output: { rules: { EMAIL: off } } }, { match: { team: b }, output: { locales: [] } },
                   { match: { team: c }, output: { rules: { A: flag } } }] }`)
    expect(book.policyFor(WHO).record).toBeNull()
    for (const team of ['a', 'b', 'c']) {
      const { record } = book.policyFor({ ...WHO, team })
      if (!record) throw new Error('nothing is redacted for the record')
      expect(new TextGuard(record).whole('a@b.io 123-45-6789 abc')).toBe(
        '[EMAIL_REDACTED] [US_SSN_REDACTED] [A_REDACTED]',
      )
    }
  })
})

describe('rules of the company’s own', () => {
  const redact = async (rule: string, text: string) => output(await bookOf(`{ rules: [{ name: A, ${rule} }] }`), text)

  test.each([
    ['pattern: "ab{1,3}"', 'abbc xAB', '[A_REDACTED]c x[A_REDACTED]'],
    ['pattern: "ab{1,3}", caseSensitive: true', 'abb AB', '[A_REDACTED] AB'],
    ['pattern: "ab{1,3}", wholeWord: true', 'abb abbc éab (ab)', '[A_REDACTED] abbc éab ([A_REDACTED])'],
    [
      'pattern: "\\\\d{3}", notAfter: "[\\\\d#]", notBefore: "[.\\\\d]"',
      '123 #123 123. 1234',
      '[A_REDACTED] #123 123. 1234',
    ],
    ['pattern: "\\\\d{3}", context: [badge, "staff no", employe*]', '123 staff no 123', '123 staff no [A_REDACTED]'],
    ['pattern: "\\\\d{3}", context: [employe*]', 'Employees: 123', 'Employees: [A_REDACTED]'],
    ['pattern: "abc", replacement: "<badge>"', 'an abc', 'an <badge>'],
    ['terms: [Falcon, "Osprey Nest"]', 'FALCON, falconer, osprey nest.', '[A_REDACTED], falconer, [A_REDACTED].'],
    ['terms: [Falcon], wholeWord: false', 'falconer', '[A_REDACTED]er'],
    ['terms: [Falcon], caseSensitive: true', 'Falcon falcon', '[A_REDACTED] falcon'],
    ['terms: ["Müller", ".acme.example", "C++", "@acme"]', 'MÜLLERS MÜLLER', 'MÜLLERS [A_REDACTED]'],
    [
      'terms: ["Müller", ".acme.example", "C++", "@acme"]',
      'db.acme.example joe@acme C++11',
      'db[A_REDACTED] joe[A_REDACTED] [A_REDACTED]11',
    ],
    [
      'terms: ["Müller", ".acme.example", "C++", "@acme"]',
      '.acme.examples joe@acmes aC++',
      '.acme.examples joe@acmes aC++',
    ],
    [
      'terms: [東京計画, "Ｆａｌｃｏｎ"]',
      '新東京計画書 ｆａｌｃｏｎ fal\u200bcon',
      '新[A_REDACTED]書 [A_REDACTED] [A_REDACTED]',
    ],
    ['terms: [abc, abcdef]', 'abcdef abc abcd', '[A_REDACTED] [A_REDACTED] abcd'],
  ])('%s', async (rule, text, expected) => {
    expect(await redact(rule, text)).toBe(expected)
  })

  test('a dictionary of 5,000 terms loads fast, is found whole, however it is cut, and costs others nothing', async () => {
    const terms = Array.from({ length: 5000 }, (_, at) => `Project ${name(at)}`)
    const started = performance.now()
    const book = await bookOf(
      '{ output: { rules: { B: redact } }, rules: [{ name: B, file: t.txt }], exceptions: [{ match: { team: a }, output: { rules: { B: off } } }] }',
      { '/base/t.txt': terms.join('\n') },
    )
    expect(performance.now() - started).toBeLessThan(3000)
    for (let at = 0; at < 5000; at += 7) {
      expect(output(book, `of ${terms[at]?.toLowerCase()}, too`)).toBe('of [B_REDACTED], too')
      expect(output(book, `of ${terms[at]}x`)).toBe(`of ${terms[at]}x`)
    }
    const text = `We talked about ${terms[4711]} and ${terms[3]}ish things.`
    for (let cut = 1; cut < text.length; cut++) {
      const open = new TextGuard(book.policyFor(WHO).output).open()
      const said = open.push(text.slice(0, cut)) + open.push(text.slice(cut)) + open.end()
      expect(said).toBe(`We talked about [B_REDACTED] and ${terms[3]}ish things.`)
    }
    expect(output(book, terms[9] ?? '', 'a')).toBe(terms[9])
  })
})

/** A made-up word for a number, different for each. */
function name(at: number): string {
  const syllables = ['ka', 'lo', 'mi', 'ru', 'ten', 'vor', 'zi', 'bel', 'dra', 'fen']
  return [...String(at).padStart(4, '0')].map(digit => syllables[Number(digit)]).join('')
}

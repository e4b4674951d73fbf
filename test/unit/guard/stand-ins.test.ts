import { describe, expect, test } from 'vitest'
import { MAX_RESTORED_CHARACTERS } from '../../../src/config/limits.ts'
import { byGroup, compileSide } from '../../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../../src/guard/recognisers/index.ts'
import { Restorer } from '../../../src/guard/restore.ts'
import { bracketedIn, StandIns } from '../../../src/guard/stand-ins.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'pseudonymise', secrets: 'pseudonymise' }))
if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
const { side } = compiled

function pseudonymise(...texts: string[]): { texts: string[]; standIns: StandIns } {
  const standIns = new StandIns(texts.reduce((found, text) => bracketedIn(text, found), new Set<string>()))
  const guard = new TextGuard(side, () => standIns)
  return { texts: texts.map(text => guard.whole(text)), standIns }
}

test('the same value has the same stand-in in every text, other values have others', () => {
  const { texts, standIns } = pseudonymise(
    'a@x.example, b@x.example',
    'b@x.example and 4111 1111 1111 1111',
    'c@x.example',
  )
  expect(texts).toEqual(['[EMAIL_1], [EMAIL_2]', '[EMAIL_2] and [CREDIT_CARD_1]', '[EMAIL_3]'])
  expect([...standIns.values]).toEqual([
    ['[EMAIL_1]', 'a@x.example'],
    ['[EMAIL_2]', 'b@x.example'],
    ['[CREDIT_CARD_1]', '4111 1111 1111 1111'],
    ['[EMAIL_3]', 'c@x.example'],
  ])
})

test('no stand-in is what a text of the request says already, wherever it says so', () => {
  const { texts } = pseudonymise('[EMAIL_1] is not a@x.example [EMAIL_3]', 'b@x.example', 'see [EMAIL_2]')
  expect(texts).toEqual(['[EMAIL_1] is not [EMAIL_4] [EMAIL_3]', '[EMAIL_5]', 'see [EMAIL_2]'])
})

test('the whole of an open-ended value has one stand-in, and comes back whole', () => {
  const key = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(30)}-----END PRIVATE KEY-----`
  const { texts, standIns } = pseudonymise(`key:\n${key}\nend`)
  expect(texts).toEqual(['key:\n[PRIVATE_KEY_1]\nend'])
  expect(new Restorer(standIns.values).whole(texts[0] ?? '')).toBe(`key:\n${key}\nend`)
})

test('a long value that an answer says often does not make it grow without bound', () => {
  const value = 'x'.repeat(MAX_RESTORED_CHARACTERS / 4)
  const restored = new Restorer(new Map([['[KEY_1]', value]])).whole('[KEY_1] '.repeat(1000))
  expect(restored).toBe(`${value} `.repeat(4) + '[KEY_1] '.repeat(996))
})

test('ten thousand values of one conversation have as many stand-ins, and all come back however they are cut', () => {
  const count = 10_000
  const sent = Array.from({ length: count }, (_, at) => `person${at}@mail.example`)
  const { texts, standIns } = pseudonymise(sent.join(', '), sent.toReversed().join('; '))
  expect(standIns.values.size).toBe(count)
  expect(texts[1]?.startsWith(`[EMAIL_${count}]; `)).toBe(true)
  const restored = new Restorer(standIns.values).open()
  const told = `${texts[1]} [EMAIL_${count + 1}]`
  let got = ''
  let longest = 0
  for (let from = 0; from < told.length; from += 7) {
    got += restored.push(told.slice(from, from + 7))
    longest = Math.max(longest, restored.heldLength)
  }
  expect(got + restored.end()).toBe(`${sent.toReversed().join('; ')} [EMAIL_${count + 1}]`)
  expect(longest).toBeLessThan(`[EMAIL_${count}]`.length)
})

test('stand-ins of every rule are found by no rule, and bring every example back', () => {
  for (const { examples } of BUILT_IN_RULES) {
    for (const example of examples) {
      const sample = example.replaceAll(/[«»]/g, '')
      const { texts, standIns } = pseudonymise(sample)
      expect(texts[0]).not.toBe(sample)
      expect(new Restorer(standIns.values).whole(texts[0] ?? '')).toBe(sample)
      // No stand-in is to be had any more: a rule that found one would throw.
      expect(new TextGuard(side).whole(texts[0] ?? '')).toBe(texts[0])
    }
  }
})

describe('what is restored', () => {
  const restorer = new Restorer(
    new Map([
      ['[EMAIL_1]', 'a@x.example'],
      ['[EMAIL_12]', 'b@x.example'],
      ['[PHONE_1]', '[EMAIL_1]'],
    ]),
  )

  test.each([
    ['[EMAIL_1]', 'a@x.example'],
    ['[EMAIL_1][EMAIL_12]', 'a@x.exampleb@x.example'],
    ['[[EMAIL_1]]', '[a@x.example]'],
    ['[EMAIL_[EMAIL_1]', '[EMAIL_a@x.example'],
    ['[EMAIL_9] and [EMAIL_123]', '[EMAIL_9] and [EMAIL_123]'],
    ['[email_1] EMAIL_1 [EMAIL_1', '[email_1] EMAIL_1 [EMAIL_1'],
    // Nothing looks at what was put back.
    ['[PHONE_1]', '[EMAIL_1]'],
  ])('of %s', (text, expected) => {
    expect(restorer.whole(text)).toBe(expected)
  })

  test('is held back only while it begins a stand-in that was given', () => {
    const text = restorer.open()
    const steps = [
      ['see [', 'see ', 1],
      ['EMAIL_', '', 7],
      ['1', '', 8],
      ['2', '', 9],
      ['] ', 'b@x.example ', 0],
      ['[PHONE', '', 6],
      ['_2]', '[PHONE_2]', 0],
      ['[EMAIL_3', '[EMAIL_3', 0],
      ['[DATE', '[DATE', 0],
      ['[', '', 1],
    ] as const
    for (const [piece, out, held] of steps) expect([text.push(piece), text.heldLength]).toEqual([out, held])
    expect([text.end(), text.end()]).toEqual(['[', ''])
  })
})

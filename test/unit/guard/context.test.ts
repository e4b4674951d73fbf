import { describe, expect, it } from 'vitest'
import { isLabelled, isSaid, phrases } from '../../../src/guard/validators/context.ts'
import { PhraseTrie } from '../../../src/guard/validators/phrase-trie.ts'

const words = phrases('passport, tax id, steuer*, numéro fiscal, 여권')

describe('isSaid', () => {
  it('finds nothing before any text was read', () => {
    const trie = new PhraseTrie()
    const group = trie.group()
    trie.add(group, 'passport', false)
    expect(trie.has(group)).toBe(false)
  })

  it.each([
    'passport ',
    'my PASSPORT: 12, and ',
    '"taxId": "',
    'tax_id=',
    'Steueridentifikationsnummer ',
    'numero fiscal ',
    'Numéro  fiscal: ',
    '여권번호는 ',
    'passportNumber = ',
  ])('finds a phrase in %j', before => expect(isSaid(before, words)).toBe(true))

  it.each(['', 'passports ', 'the tax, id ', 'besteuert ', 'a pass port '])('finds none in %j', before =>
    expect(isSaid(before, words)).toBe(false),
  )
})

describe('isLabelled', () => {
  it.each(['passport: ', 'Passport No. ', '**Passport number:** ', '| passport | ', 'passport is now ', 'passport\n'])(
    'takes %j for a label',
    before => expect(isLabelled(before, words)).toBe(true),
  )

  it.each([
    'passport, order ',
    'passport. Order ',
    'passport 12345 ',
    'passport and then a great many other words ',
    'passport\n\norder ',
    'order ',
  ])('does not take %j for one', before => expect(isLabelled(before, words)).toBe(false))

  it('takes the label that is nearest', () => {
    expect(isLabelled('passport 12345678, passport ', words)).toBe(true)
  })
})

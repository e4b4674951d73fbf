import { createHash } from 'node:crypto'
import { isValidPhoneNumber } from 'libphonenumber-js/min'
import { describe, expect, it } from 'vitest'
import { isCardNumber } from '../../../src/guard/validators/card.ts'
import { looksRandom } from '../../../src/guard/validators/entropy.ts'
import { luhn } from '../../../src/guard/validators/luhn.ts'
import { isPhone } from '../../../src/guard/validators/phone.ts'
import { isNationalNumber, isPossibleInternational } from '../../../src/guard/validators/phone-plan.ts'
import { sha256 } from '../../../src/guard/validators/sha256.ts'

describe('sha256', () => {
  it("agrees with the platform's for every length of one block", () => {
    for (let length = 0; length <= 55; length++) {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length) & 0xff)
      expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    }
  })
})

describe('luhn and cards', () => {
  it('accept exactly one check digit', () => {
    const stem = '411111111111111'
    expect(Array.from('0123456789').filter(digit => luhn(stem + digit))).toEqual(['1'])
  })

  it('want a known prefix with its length', () => {
    expect(isCardNumber('4111 1111 1111 1111')).toBe(true)
    expect(isCardNumber('378282246310005')).toBe(true)
    expect(isCardNumber('0000 0000 0000 0000')).toBe(false)
    expect(isCardNumber('2.718281828459045')).toBe(false)
  })
})

describe('numbering plans', () => {
  it('take what libphonenumber takes', () => {
    const numbers = [
      ['DE', '03063840191'],
      ['FR', '0678943168'],
      ['GB', '02079460018'],
      ['ES', '651158116'],
      ['US', '2015550123'],
      ['IN', '09876543210'],
      ['JP', '0312345678'],
    ] as const
    for (const [region, number] of numbers) {
      expect(isValidPhoneNumber(number, region), number).toBe(true)
      expect(isNationalNumber(number), number).toBe(true)
    }
    expect(isNationalNumber('0123')).toBe(false)
    expect(isPossibleInternational('493063840191')).toBe(true)
    expect(isPossibleInternational('99912345678')).toBe(false)
  })

  it('answer in microseconds, whatever the candidate', () => {
    const candidates = ['0123 4567 89', '(012) 345 678', '+49 1', '1234567', '0000000000', '01-23-45-67-89']
    const rounds = 5000
    const start = performance.now()
    for (let round = 0; round < rounds; round++) {
      for (const candidate of candidates) isPhone(`${candidate}${round}`, 'please call '.repeat(5))
    }
    expect(((performance.now() - start) * 1000) / (rounds * candidates.length)).toBeLessThan(50)
  })
})

describe('looksRandom', () => {
  it('tells keys from stand-ins', () => {
    for (const key of ['8kP2mQ9vL4xR7wZ1', '9f8a7c6b5d4e3f2a1b0c', 'ajjjvneqpdvhewtgfvehfbqkjdvrahkgvc']) {
      expect(looksRandom(key), key).toBe(true)
    }
    for (const stand of [
      'xxxxxxxxxxxxxxxx',
      'XXXX-XXXX-XXXX',
      'IOSFODNN7EXAMPLE',
      '0000000000000000',
      'your_api_key_here_1',
    ]) {
      expect(looksRandom(stand), stand).toBe(false)
    }
  })
})

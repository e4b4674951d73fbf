import { describe, expect, it } from 'vitest'
import * as americas from '../../../src/guard/validators/americas.ts'
import * as asia from '../../../src/guard/validators/asia-pacific.ts'
import { mod11And10, verhoeff } from '../../../src/guard/validators/check-digits.ts'
import { hasVinCheck, isImei } from '../../../src/guard/validators/documents.ts'
import * as east from '../../../src/guard/validators/europe-east.ts'
import * as west from '../../../src/guard/validators/europe-west.ts'

type Check = (match: string) => boolean

/** Numbers that the authorities, or texts about the check digits, print as examples. */
const PUBLISHED: readonly (readonly [check: Check, number: string])[] = [
  [americas.isCanadianSin, '130 692 544'],
  [americas.isCpf, '529.982.247-25'],
  [americas.isCnpj, '11.222.333/0001-81'],
  [americas.isCnpj, '12.ABC.345/01DE-35'],
  [americas.isCuit, '20-17254359-7'],
  [americas.isRut, '12.345.678-5'],
  [americas.isCurp, 'HEGG560427MVZRRL04'],
  [americas.isRfc, 'GODE561231GR8'],
  [americas.isAbaRouting, '021000021'],
  [americas.isNpi, '1234567893'],
  [west.isNif, '12345678Z'],
  [west.isNif, 'X9613851N'],
  [west.isCif, 'A58818501'],
  [west.isFiscalCode, 'RSSMRA85T10A562S'],
  [west.isPartitaIva, '01333550323'],
  [west.isGermanTaxId, '86095742719'],
  [west.isGermanDocument, 'L01X00T44'],
  [west.isGermanPensionNumber, '15070649C103'],
  [west.isGermanHealthNumber, 'A123456780'],
  [west.isGermanVat, 'DE136695976'],
  [west.isNir, '255081416802538'],
  [west.isSiren, '732829320'],
  [west.isBsn, '111222333'],
  [west.isBelgianNumber, '85.07.30-033.28'],
  [west.isPortugueseNif, '501442600'],
  [west.isAhv, '756.9217.0769.85'],
  [west.isAustrianInsurance, '1237 010180'],
  [west.isPps, '1234567T'],
  [west.isPps, '1234567FA'],
  [west.isHetu, '131052-308T'],
  [west.isPersonnummer, '871220-2384'],
  [west.isOrganisationsnummer, '556703-7485'],
  [west.isFodselsnummer, '01010750160'],
  [west.isKennitala, '120174-3399'],
  [east.isPesel, '44051401458'],
  [east.isNip, '123-456-32-18'],
  [east.isRegon, '123456785'],
  [east.isRodneCislo, '736028/5163'],
  [east.isCnp, '1800101221144'],
  [east.isEgn, '7523169263'],
  [east.isBalticCode, '37605030299'],
  [east.isOib, '69435151530'],
  [east.isJmbg, '0101006500006'],
  [east.isTaj, '037 687 210'],
  [east.isAfm, '094259216'],
  [east.isTcKimlik, '10000000146'],
  [east.isInn, '500100732259'],
  [east.isSnils, '112-233-445 95'],
  [asia.isAadhaar, '399876543211'],
  [asia.isTfn, '876543210'],
  [asia.isAbn, '51824753556'],
  [asia.isAcn, '005499981'],
  [asia.isIrd, '49091850'],
  [asia.isIrd, '136410132'],
  [asia.isNric, 'S1234567D'],
  [asia.isNric, 'T1234567J'],
  [asia.isNric, 'F2346401L'],
  [asia.isNric, 'M4332674T'],
  [asia.isUen, '53125226D'],
  [asia.isUen, '201434292D'],
  [asia.isKoreanBusiness, '104-86-56659'],
  [asia.isChineseId, '11010519491231002X'],
  [asia.isMyNumber, '123456789018'],
  [asia.isTaiwaneseId, 'A123456789'],
  [asia.isHongKongId, 'G123456(A)'],
  [asia.isThaiId, '1234567890121'],
  [asia.isSouthAfricanId, '8001015009087'],
  [hasVinCheck, '1HGCM82633A004352'],
  [isImei, '490154203237518'],
]

describe.each(PUBLISHED.map(([check, number]) => [check.name, number, check] as const))('%s', (_, number, check) => {
  it(`takes ${number}`, () => expect(check(number)).toBe(true))

  it('is taken with hardly any other check character of its kind', () => {
    const at = number.length - (number.endsWith(')') ? 2 : check === west.isKennitala ? 2 : 1)
    const digit = /\d/.test(number.charAt(at))
    const alphabet = digit ? '0123456789' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
    const taken = [...alphabet].filter(char => check(number.slice(0, at) + char + number.slice(at + 1)))
    expect(taken).toContain(number[at])
    // Letters outnumber the remainders of modulo 11.
    expect(taken.length).toBeLessThanOrEqual(digit ? 2 : 3)
  })
})

describe('check digits over all digits', () => {
  const strict: readonly Check[] = [verhoeff, mod11And10, east.isTcKimlik, asia.isChineseId, americas.isCpf, asia.isAbn]
  const numbers = ['399876543211', '86095742719', '10000000146', '110101199003070011', '52998224725', '51824753556']

  it.each(strict.map((check, index) => [check.name, check, numbers[index] ?? ''] as const))(
    '%s notices every wrong digit',
    (_, check, number) => {
      expect(check(number)).toBe(true)
      for (let at = 0; at < number.length; at++) {
        for (const digit of '0123456789') {
          const other = number.slice(0, at) + digit + number.slice(at + 1)
          if (other !== number) expect(check(other), other).toBe(false)
        }
      }
    },
  )
})

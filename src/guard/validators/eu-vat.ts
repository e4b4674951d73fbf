import { digitAt, luhnNumber, mod11And10, weighted } from './check-digits.ts'
import { isNip } from './europe-east.ts'
import { isCif, isNif, isOrganisationsnummer, isPortugueseNif } from './europe-west.ts'

/** The check of a country's VAT number, by its prefix; countries whose numbers have no known check are left out. */
const CHECKS: Readonly<Record<string, (body: string) => boolean>> = {
  AT: body => {
    let sum = 4
    for (let at = 1; at <= 7; at++) {
      const product = digitAt(body, at) * (at % 2 === 1 ? 1 : 2)
      sum += Math.floor(product / 10) + (product % 10)
    }
    return (10 - (sum % 10)) % 10 === digitAt(body, 8)
  },
  BE: body => 97 - (Number(body.slice(0, 8)) % 97) === Number(body.slice(8)),
  DK: body => weighted(body, [2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
  ES: body => (/^[0-9XYZ]/.test(body) ? isNif(body) : isCif(body)),
  FI: body => (11 - (weighted(body, [7, 9, 10, 5, 8, 4, 2]) % 11)) % 11 === digitAt(body, 7),
  FR: body => {
    const siren = body.slice(2)
    return luhnNumber(siren) && (12 + 3 * (Number(siren) % 97)) % 97 === Number(body.slice(0, 2))
  },
  HR: mod11And10,
  LU: body => Number(body.slice(0, 6)) % 89 === Number(body.slice(6)),
  NL: body => weighted(body, [9, 8, 7, 6, 5, 4, 3, 2]) % 11 === digitAt(body, 8),
  PL: isNip,
  PT: isPortugueseNif,
  SE: body => isOrganisationsnummer(body.slice(0, 10)),
}

/** Whether the match is a VAT number whose country has a check that it passes; undefined where none is known. */
export function isEuVat(match: string): boolean | undefined {
  return CHECKS[match.slice(0, 2)]?.(match.slice(2).replace(/[ .-]/g, ''))
}

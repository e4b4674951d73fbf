import type { RuleDefinition } from '../rule.ts'
import { phrases } from '../validators/context.ts'
import {
  isCpr,
  isFodselsnummer,
  isHetu,
  isKennitala,
  isOrganisationsnummer,
  isPersonnummer,
} from '../validators/europe-west.ts'
import { idRule } from './id-form.ts'

/** National numbers of Finland, Sweden, Denmark, Norway and Iceland. */
export const NORDIC_RULES: readonly RuleDefinition[] = [
  idRule({
    name: 'FI_PERSONAL_IDENTITY_CODE',
    locale: 'fi',
    description: 'Finnish personal identity code: date of birth, century sign, serial, check character (DVV).',
    pattern: '\\d{6}[-+A-FU-Y]\\d{3}[0-9A-FHJ-NPR-Y]',
    check: isHetu,
    strong: true,
    examples: ['HETU «010594Y9032»', 'henkilötunnus: «131052-308T»'],
    counterExamples: ['111111-111A', '310289-211C', '131052/308T', '012245A110G'],
  }),
  idRule({
    name: 'SE_PERSONNUMMER',
    locale: 'se',
    description: 'Swedish personal number: date of birth, serial, Luhn; without its sign behind a word (Skatteverket).',
    pattern: '\\d{6}(?:\\d{2})?[-+]?\\d{4}',
    exact: /^(?:(?:18|19|20)\d{6}|\d{6})[-+]?\d{4}$/,
    check: isPersonnummer,
    strong: match => /[-+]/.test(match),
    said: phrases(
      'personnummer*, personnr, person nr, pnr, samordningsnummer*, swedish id, personal identity, swedish personal',
    ),
    examples: ['«871220-2384»', 'personnummer «198712202384»', 'pnr: «19910924-2397»'],
    counterExamples: ['871220-2385', '198712202384', 'personnummer 191312202384', '20210520-1234'],
  }),
  idRule({
    name: 'SE_ORGANISATIONSNUMMER',
    locale: 'se',
    description: 'Swedish organisation number: ten digits, the third at least 2, Luhn, behind a word (Bolagsverket).',
    pattern: '\\d{6}-?\\d{4}',
    exact: /^\d{2}[2-9]/,
    check: isOrganisationsnummer,
    said: phrases(
      'organisationsnummer*, org nr, orgnr, orgnummer*, org nummer, company identity, corporate identity, company registration',
    ),
    examples: ['org.nr «556703-7485»', 'organisationsnummer: «5567037485»'],
    counterExamples: ['556703-7485', 'orgnr 556703-7486'],
  }),
  idRule({
    name: 'DK_CPR',
    locale: 'dk',
    description: 'Danish CPR number: date of birth and a serial, behind a word (CPR-kontoret).',
    pattern: '\\d{6}-?\\d{4}',
    check: isCpr,
    said: phrases('cpr, cpr nr, cprnr, cpr nummer, cprnummer, personnummer*, danish id'),
    examples: ['CPR: «010180-1234»', 'cpr-nummer «0101801234»'],
    counterExamples: ['010180-1234', 'CPR 320180-1234'],
  }),
  idRule({
    name: 'NO_FODSELSNUMMER',
    locale: 'no',
    description: 'Norwegian birth number: date of birth, serial, two check digits modulo 11 (Skatteetaten).',
    pattern: '\\d{6} ?\\d{5}',
    check: isFodselsnummer,
    strong: true,
    examples: ['fødselsnummer «010180 00055»', '«01010750160»'],
    counterExamples: ['01018000056', '32018000055'],
  }),
  idRule({
    name: 'IS_KENNITALA',
    locale: 'is',
    description:
      'Icelandic kennitala: date of birth, serial, check digit, century (Þjóðskrá), behind a word unless with its hyphen.',
    pattern: '\\d{6}-?\\d{4}',
    exact: /[089]$/,
    check: isKennitala,
    strong: match => match.includes('-'),
    said: phrases('kennitala*, kennitolu*, kt'),
    examples: ['kt. «120174-3399»', 'kennitala: «1201743399»'],
    counterExamples: ['120174-3389', '1201743399'],
  }),
]

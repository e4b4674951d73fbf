import type { RuleDefinition } from '../rule.ts'
import { phrases } from '../validators/context.ts'
import { idRule } from './id-form.ts'

const WORDS = phrases(
  'license plate, licence plate, license plates, number plate, numberplate, plate number, plate, plates, registration number',
  'vehicle registration, car reg, reg no, vehicle reg, vehicle, vehicles, registration',
)

/** Registration plates, right behind a label: their forms are those of many other things. */
export const PLATE_RULES: readonly RuleDefinition[] = [
  idRule({
    name: 'UK_VEHICLE_REGISTRATION',
    locale: 'uk',
    description: 'Vehicle registration of the United Kingdom since 1963, right behind a label (DVLA).',
    // In lower case without a space behind letters: short words of prose must not wait for what follows them.
    pattern:
      '[A-Z]{2}\\d{2}[ -]?[A-Z]{3}|[A-Z]\\d{1,3}[ -]?[A-Z]{3}|[A-Z]{3}[ -]?\\d{1,3}[A-Z]|[a-z]{2}\\d{2}[ -]?[a-z]{3}|[a-z]\\d{1,3}[ -]?[a-z]{3}|[a-z]{3}\\d{1,3}[a-z]',
    exact:
      /^(?:[A-HJ-PR-Y]{2}\d{2}[ -]?[A-HJ-PR-Z]{3}|[A-HJ-NPR-TV-Y]\d{1,3}[ -]?[A-HJ-PR-Z]{3}|[A-HJ-PR-Z]{3}[ -]?\d{1,3}[A-HJ-NPR-TV-Y])$/,
    caseSensitive: true,
    check: match => {
      const age = /^[A-Z]{2}(\d{2})/.exec(match)?.[1]
      return age === undefined || (Number(age) >= 2 && Number(age) <= 29) || (Number(age) >= 51 && Number(age) <= 79)
    },
    labelled: WORDS,
    examples: ['My car reg is «AB51 ABC»', 'number plate «LN14-HGT»', 'registration number: «A123 BCD»'],
    counterExamples: ['AB51 ABC', 'plate IB51 ABC', 'plate AB35 ABC'],
  }),
  idRule({
    name: 'DE_KFZ',
    locale: 'de',
    description:
      'German registration plate: district, one or two letters, up to four digits, right behind a label (FZV).',
    pattern: '[A-ZÄÖÜ]{1,3}[ -][A-Z]{1,2}[ -]?\\d{1,4}[EH]?',
    // In lower case, every short word with a space would have to wait for the next.
    caseSensitive: true,
    labelled: phrases('kennzeichen, kfz kennzeichen, amtliches kennzeichen, nummernschild*, kfz'),
    examples: ['Kennzeichen: «HH-AB-1234»', 'Nummernschild «M-XY 999»'],
    counterExamples: ['HH-AB-1234', 'Kennzeichen BXYZ AB 1234'],
  }),
  idRule({
    name: 'TR_LICENSE_PLATE',
    locale: 'tr',
    description:
      'Turkish registration plate: province, one to three letters, two to four digits, right behind a label.',
    pattern: '\\d{2} ?[A-Z]{1,3} ?\\d{2,4}',
    exact: /^(?:0[1-9]|[1-7]\d|8[01])/,
    labelled: phrases('plaka*, araci*, license plate, licence plate, plate, plate number'),
    examples: ['Plaka «34 ABC 1234»', 'License plate: «06A123»'],
    counterExamples: ['34 ABC 1234', 'Plaka 82 ABC 123'],
  }),
  idRule({
    name: 'NG_VEHICLE_REGISTRATION',
    locale: 'ng',
    description:
      'Registration plate of Nigeria: local government, three digits, two letters, right behind a label (FRSC).',
    pattern: '[A-Z]{3}[ -]?\\d{3}[ -]?[A-Z]{2}|[a-z]{3}-?\\d{3}-?[a-z]{2}',
    caseSensitive: true,
    labelled: WORDS,
    examples: ['plate number is «ABJ-123XY»', 'Plates: «APP456CV»'],
    counterExamples: ['ABJ-123XY', 'plate AB-1234CD'],
  }),
]

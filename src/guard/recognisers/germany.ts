import type { RuleDefinition } from '../rule.ts'
import { phrases } from '../validators/context.ts'
import {
  isGermanDoctor,
  isGermanDocument,
  isGermanHealthNumber,
  isGermanPensionNumber,
  isGermanPractice,
  isGermanTaxId,
  isGermanVat,
} from '../validators/europe-west.ts'
import { idRule } from './id-form.ts'

/** Numbers of Germany. */
export const GERMANY_RULES: readonly RuleDefinition[] = [
  idRule({
    name: 'DE_TAX_ID',
    locale: 'de',
    description:
      'Steuerliche Identifikationsnummer: eleven digits, ISO 7064 MOD 11,10, behind a word (section 139b AO).',
    pattern: '[1-9]\\d{10}|[1-9]\\d ?\\d{3} \\d{3} \\d{3}',
    check: isGermanTaxId,
    said: phrases(
      'steuer*, idnr, id nr, tin, tax id, taxid, tax identification, identifikationsnummer, tax number, tax',
    ),
    examples: ['Steuer-ID: «86095742719»', 'IdNr. «86 095 742 719»', 'steuerId="«86095742719»"'],
    counterExamples: ['86095742719', 'Steuer-ID 86095742718', 'Steuer-ID 06095742719', 'Steuer-ID 11111111111'],
  }),
  idRule({
    name: 'DE_TAX_NUMBER',
    locale: 'de',
    description: 'Steuernummer: ten to thirteen digits in the form of a state or of all, right behind a label.',
    pattern:
      '\\d{2,3}/\\d{3,4}/\\d{4,5}|(?:0[1-9]|1[0-6])\\d{11}|(?:2[1-8]|3[0-2]|4[01]|5\\d|9\\d)\\d{2}0\\d{8}|\\d{10,11}',
    labelled: phrases('steuernummer, steuernr, steuer nr, st nr, stnr, tax number'),
    examples: ['Steuernummer: «123/456/78901»', 'St.-Nr. «12/345/67890»', 'Steuernummer «0981508150999»'],
    counterExamples: ['123/456/78901', 'Steuernummer 12/34', 'Rechnung 0981508150999'],
  }),
  idRule({
    name: 'DE_ID_CARD',
    locale: 'de',
    description: 'Personalausweis: nine characters, the last a check digit, or T and eight digits, behind a word.',
    pattern: '[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{7}\\d|T\\d{8}',
    check: match => /^T\d{8}$/.test(match) || isGermanDocument(match),
    said: phrases('personalausweis*, ausweis*, perso, identity card, id card, id karte, npa, german id'),
    examples: ['Personalausweis: «L01X00T44».', 'Ausweis Nr. «T22000129»', 'ID card «l01x00t44»'],
    counterExamples: ['L01X00T44', 'Personalausweis L01X00T47', 'Personalausweis T2200012'],
  }),
  idRule({
    name: 'DE_SOCIAL_SECURITY',
    locale: 'de',
    description:
      'Rentenversicherungsnummer: area, date of birth, initial, serial and a check digit (section 147 SGB VI).',
    pattern: '\\d{2} ?\\d{6} ?[A-Z] ?\\d{3}',
    check: isGermanPensionNumber,
    strong: true,
    examples: ['RVNR: «15070649C103»', 'SV-Nummer «65 180539 W 001»'],
    counterExamples: ['15070649C100', '15070049C103', '15070649C10'],
  }),
  idRule({
    name: 'DE_HEALTH_INSURANCE',
    locale: 'de',
    description:
      'Krankenversichertennummer: a letter, eight digits and a check digit, behind a word (section 290 SGB V).',
    pattern: '[A-Z]\\d{9}',
    check: isGermanHealthNumber,
    said: phrases(
      'e gk, krankenkasse*, krankenversicher*, kvnr, kv nr, versicherten*, versicherung*, egk*, gesundheitskarte*, health insurance',
    ),
    examples: ['KVNR: «A123456780»', 'Krankenkasse, Nummer «m123456785»'],
    counterExamples: ['A123456780', 'KVNR A123456787', 'KVNR A12345678'],
  }),
  idRule({
    name: 'DE_VAT_ID',
    locale: 'de',
    description: 'Umsatzsteuer-Identifikationsnummer: DE and nine digits with a check digit (BZSt).',
    pattern: '(?:DE[ -]?|[Dd]e)\\d{3}[ -]?\\d{3}[ -]?\\d{3}',
    caseSensitive: true,
    check: isGermanVat,
    strong: true,
    examples: ['USt-IdNr.: «DE136695976»', 'an «DE 136 695 976».', 'VAT ID «de129273398»'],
    counterExamples: ['DE123456789', 'DE12345678', 'DE1234567890'],
  }),
  idRule({
    name: 'DE_LANR',
    locale: 'de',
    description: "Lifelong doctor's number: nine digits with a check digit, behind a word (KBV).",
    pattern: '\\d{9}',
    check: isGermanDoctor,
    said: phrases('lanr, arztnummer, arzt nr, arzt nummer, arztnr'),
    examples: ['LANR: «123456601»', 'Arztnummer «987654401»'],
    counterExamples: ['123456601', 'LANR 123456901'],
  }),
  idRule({
    name: 'DE_BSNR',
    locale: 'de',
    description: 'Number of a medical practice: nine digits right behind a label (KBV).',
    pattern: '\\d{9}',
    check: isGermanPractice,
    labelled: phrases('bsnr, betriebsstatte*, betriebsstaette*'),
    examples: ['BSNR «711234567»', 'Betriebsstättennummer: «021234568»'],
    counterExamples: ['711234567', 'BSNR 000000000'],
  }),
  idRule({
    name: 'DE_FUEHRERSCHEIN',
    locale: 'de',
    description: 'German driving licence: eleven characters from an authority on, right behind a label.',
    pattern: '[A-Z][A-Z0-9]{2}[A-Z0-9]{6}[0-9][0-9A-Z]|[A-Z]{2}\\d{8}[0-9A-Z]',
    check: match => (match.match(/\d/g)?.length ?? 0) >= 5,
    labelled: phrases('fuhrerschein*, fuehrerschein*, fahrerlaubnis*, german driving licence'),
    examples: ['Führerscheinnummer: «BO12345678A»', 'Fahrerlaubnis «B072RRE2I55»'],
    counterExamples: ['BO12345678A', 'Führerschein BO12345678', 'Führerschein bestanden'],
  }),
  idRule({
    name: 'DE_HANDELSREGISTER',
    locale: 'de',
    description: 'Entry in the commercial register: HRA or HRB with four to six digits, or any number behind a word.',
    pattern: '(?:HR[AB] ?|hr[ab])\\d{1,6}',
    caseSensitive: true,
    strong: match => /^HR[AB] ?\d{4,6}$/.test(match),
    said: phrases('handelsregister*, amtsgericht, registergericht, ag, eingetragen'),
    examples: ['Amtsgericht München «HRB 12345».', 'Handelsregister: «HRA 12»'],
    counterExamples: ['hardness HRB 85', 'HRC 12345', 'HRB 1234567'],
  }),
]

import type { RuleDefinition } from '../rule.ts'
import { phrases } from '../validators/context.ts'
import { isCif, isFiscalCode, isNif, isPartitaIva, isPortugueseNif } from '../validators/europe-west.ts'
import { idRule } from './id-form.ts'

/** National numbers of Spain, Portugal and Italy. */
export const IBERIA_ITALY_RULES: readonly RuleDefinition[] = [
  idRule({
    name: 'ES_NIF',
    locale: 'es',
    description: 'Spanish DNI or NIF: seven or eight digits and a check letter modulo 23 (Ministerio del Interior).',
    pattern: '\\d{7,8}[ -]?[A-HJ-NP-TV-Z]|\\d{2}\\.\\d{3}\\.\\d{3}[ -]?[A-HJ-NP-TV-Z]',
    check: match => isNif(match),
    strong: match => !match.includes(' ') && /[A-Z]$|-|\d{8}[a-mo-z]$/.test(match),
    said: phrases('dni, nif, documento nacional, identificacion fiscal, documento de identidad'),
    examples: ['DNI «12345678Z»', '«55555555-K»', 'NIF: «12.345.678-Z»', 'dni «12345678 z»'],
    counterExamples: ['12345678A', '401-023-2138', '12345678 Z', 'x12345678Z', 'size: 2097152n'],
  }),
  idRule({
    name: 'ES_NIE',
    locale: 'es',
    description: 'Spanish number of a foreigner: X, Y or Z, seven digits and a check letter modulo 23.',
    pattern: '[XYZ][ -]?\\d{7}[ -]?[A-HJ-NP-TV-Z]|[xyz]-?\\d{7}-?[a-hj-np-tv-z]',
    caseSensitive: true,
    check: isNif,
    strong: true,
    examples: ['Mi NIE es «X9613851N»', '«Y8063915-Z»'],
    counterExamples: ['Y8063915Q', 'W8063915Q', 'Y806391Q'],
  }),
  idRule({
    name: 'ES_CIF',
    locale: 'es',
    description: 'Tax number of a Spanish company: a letter, seven digits, a check digit or letter (AEAT).',
    pattern: '[ABCDEFGHJNPQRSUVW][ -]?\\d{7}[ -]?[0-9A-J]|[abcdefghjnpqrsuvw]-?\\d{7}-?[0-9a-j]',
    caseSensitive: true,
    check: isCif,
    said: phrases('cif, nif, identificacion fiscal, nif iva'),
    examples: ['CIF: «A58818501»', 'NIF «A-5881850-1»'],
    counterExamples: ['A58818501', 'CIF A58818502'],
  }),
  idRule({
    name: 'PT_NIF',
    locale: 'pt',
    description: 'Portuguese tax number: nine digits with a check digit modulo 11, behind a word that says so.',
    pattern: '(?:PT ?|pt)?\\d{3} ?\\d{3} ?\\d{3}',
    caseSensitive: true,
    check: isPortugueseNif,
    said: phrases('nif, contribuinte, nipc, numero fiscal, identificacao fiscal'),
    examples: ['NIF: «123 456 789»', 'contribuinte n.º «501442600»'],
    counterExamples: ['123456789', 'NIF 123456788', 'NIF 999999999'],
  }),
  idRule({
    name: 'IT_FISCAL_CODE',
    locale: 'it',
    description: 'Codice fiscale: sixteen characters with a date of birth and a check letter (DM 23/12/1976).',
    pattern: '[A-Z]{6}[0-9A-Z]{2}[A-Z][0-9A-Z]{2}[A-Z][0-9A-Z]{3}[A-Z]',
    exact: /^.{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}/,
    check: isFiscalCode,
    strong: true,
    examples: ['CF «RSSMRA85T10A562S»', 'codice fiscale: «rssmra85t10a562s»'],
    counterExamples: ['RSSMRA85T10A562T', 'RSSMRA85T00A562S', 'RSSMRA85T10A562'],
  }),
  idRule({
    name: 'IT_VAT_CODE',
    locale: 'it',
    description: 'Partita IVA: eleven digits, Luhn, behind IT or a word that says so (Agenzia delle Entrate).',
    pattern: '(?:IT ?|it)?\\d{11}|\\d{5}[ _]\\d{3}[ _]\\d{3}|\\d{8}_\\d{3}',
    caseSensitive: true,
    check: isPartitaIva,
    strong: match => /^IT/i.test(match),
    said: phrases('partita iva, p iva, piva, iva, vat, codice fiscale, codice iva'),
    examples: ['P.IVA «01333550323»', '«IT01333550323»', 'partita IVA: «01333550323»'],
    counterExamples: ['01333550323', 'P.IVA 01333550324', 'partita IVA 00000000000'],
  }),
  idRule({
    name: 'IT_DRIVER_LICENSE',
    locale: 'it',
    description:
      'Italian driving licence: two letters, seven digits and a letter, or U1 and eight characters, behind a label.',
    pattern: '[A-Z]{2}\\d{7}[A-Z]|U1[0-9B-HJ-NPR-Z]{7}[A-Z]',
    labelled: phrases(
      'patente, patente di guida, licenza, licenza di guida, driving licence, driver license, driving license, license, licence',
    ),
    examples: ['patente di guida «AA0123456B»', 'patente: «U1K711J11M»'],
    counterExamples: ['AA0123456B', 'patente 990123456B', 'patente AA012345B'],
  }),
  idRule({
    name: 'IT_IDENTITY_CARD',
    locale: 'it',
    description:
      'Italian identity card, on paper or electronic: two letters with five to seven digits, behind a label.',
    pattern:
      '[A-Z]{2} ?\\d{7}|[a-z]{2}\\d{7}|\\d{7} ?[A-Za-z]{2}|[A-Z]{2} ?\\d{5} ?[A-Z]{2}|[A-Za-z]{2}\\d{5}[A-Za-z]{2}',
    caseSensitive: true,
    labelled: phrases(
      'carta identita, carta d identita, carta di identita, cie, italian identity card, italian id card',
    ),
    examples: ["carta d'identità «CA12345AA»", "Carta d'identità n. «AA 1234567»"],
    counterExamples: ['CA12345AA', "carta d'identità CA1234AA"],
  }),
]

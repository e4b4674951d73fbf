import type { RuleDefinition } from '../rule.ts'
import { isCnpj, isCpf, isCuit, isCurp, isRfc, isRut } from '../validators/americas.ts'
import { phrases } from '../validators/context.ts'
import { idRule } from './id-form.ts'

/** National numbers of Brazil, Mexico, Argentina, Chile and Colombia. */
export const LATIN_AMERICA_RULES: readonly RuleDefinition[] = [
  idRule({
    name: 'BR_CPF',
    locale: 'br',
    description: 'CPF of Brazil: eleven digits with two check digits; bare behind a word (Receita Federal).',
    pattern: '\\d{3}\\.\\d{3}\\.\\d{3}[-.]\\d{2}|\\d{9}-?\\d{2}',
    check: isCpf,
    strong: match => match.length > 11,
    said: phrases('cpf, cadastro de pessoa*'),
    examples: ['CPF «529.982.247-25»', 'cpf: «52998224725»', '«529982247-25»'],
    counterExamples: ['529.982.247-26', '52998224725', 'CPF 111.111.111-11'],
  }),
  idRule({
    name: 'BR_CNPJ',
    locale: 'br',
    description: 'CNPJ of Brazil: twelve letters or digits and two check digits; bare behind a word (Receita Federal).',
    pattern: '[0-9A-Z]{2}\\.[0-9A-Z]{3}\\.[0-9A-Z]{3}/[0-9A-Z]{4}-\\d{2}|\\d{14}',
    check: isCnpj,
    strong: match => match.length > 14,
    said: phrases('cnpj, cadastro nacional'),
    examples: ['CNPJ «11.222.333/0001-81»', 'cnpj «11222333000181»', '«12.ABC.345/01DE-35»'],
    counterExamples: ['11.222.333/0001-82', '11222333000181'],
  }),
  idRule({
    name: 'MX_CURP',
    locale: 'mx',
    description: 'CURP of Mexico: initials, date of birth, sex, state, consonants, check digit (RENAPO).',
    pattern: '[A-Z]{4}\\d{6}[HMX][A-Z]{5}[0-9A-Z]\\d',
    check: isCurp,
    strong: true,
    examples: ['CURP «HEGG560427MVZRRL04»', '«hegg560427mvzrrl04»'],
    counterExamples: ['HEGG560427MVZRRL05', 'HEGG561427MVZRRL04'],
  }),
  idRule({
    name: 'MX_RFC',
    locale: 'mx',
    description: 'RFC of Mexico: three or four letters, a date, three characters of which one is a check digit (SAT).',
    pattern: '[A-ZÑ&]{3,4}\\d{6}[0-9A-Z]{2}[0-9A]',
    check: isRfc,
    strong: match => match.length === 13 && match === match.toUpperCase(),
    said: phrases('rfc, registro federal, contribuyente*'),
    examples: ['RFC «GODE561231GR8»', 'rfc: «gode561231gr8»'],
    counterExamples: ['GODE561231GR9', 'GODE561331GR8', 'RFC 5612'],
  }),
  idRule({
    name: 'AR_CUIT',
    locale: 'ar',
    description: 'CUIT or CUIL of Argentina: type, eight digits, modulo 11; bare behind a word (AFIP).',
    pattern: '\\d{2}-?\\d{8}-?\\d',
    check: isCuit,
    strong: match => match.length === 13,
    said: phrases('cuit, cuil'),
    examples: ['CUIT «20-17254359-7»', 'cuil «27123456780»'],
    counterExamples: ['20-17254359-8', '20172543597'],
  }),
  idRule({
    name: 'CL_RUT',
    locale: 'cl',
    description: 'RUT of Chile: seven or eight digits and a check digit modulo 11; without dots behind a word.',
    pattern: '\\d{1,2}\\.\\d{3}\\.\\d{3}-[0-9K]|\\d{7,8}-?[0-9K]',
    check: isRut,
    strong: match => match.includes('.'),
    said: phrases('rut, run, rol unico, rut chileno'),
    examples: ['RUT «12.345.678-5»', 'rut: «6265837-1»'],
    counterExamples: ['12.345.678-6', '6265837-1'],
  }),
  idRule({
    name: 'LATAM_CEDULA',
    description:
      'Cédula or DNI of a Latin American country: six to eleven digits, perhaps with dots, right behind a label.',
    pattern: '\\d{1,3}(?:\\.\\d{3}){2,3}|\\d{6,11}|\\d{3}-\\d{7}-\\d',
    labelled: phrases('cedula, cedula de ciudadania, cedula de identidad, dni, documento de identidad, c c no'),
    examples: ['cédula de ciudadanía «1.020.345.678»', 'DNI: «30123456»'],
    counterExamples: ['1.020.345.678', 'DNI y factura, 30123456'],
  }),
]

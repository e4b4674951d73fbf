import { type CountryCode, getExampleNumber } from 'libphonenumber-js/min'
import examples from 'libphonenumber-js/mobile/examples'
import type { Random } from './random.ts'

/** A value that is to be found, and its type in the names of the data. */
export interface Value {
  readonly type: string
  readonly text: string
  /** What it may be called in front of it. */
  readonly labels: readonly string[]
  /** Without a label it may be any number: it always gets one. */
  readonly needsLabel?: boolean
}

type Maker = (random: Random) => Value

const NAMES = 'anna ben chloe dmitri elif farid grace hugo ines jonas kira liam mei noor oskar petra'.split(' ')
const SURNAMES = "keller o'brien garcia rossi novak silva tanaka müller okafor ivanova".split(' ')
const DOMAINS = 'example.com example.org mail.acme.example corp.co.uk initech.io uni-bonn.de post.at foo.com.br'.split(
  ' ',
)

function email(random: Random): Value {
  const [name, surname, domain] = [random.pick(NAMES), random.pick(SURNAMES), random.pick(DOMAINS)]
  const number = random.int(1, 99)
  const local = random.pick([
    `${name}.${surname}`,
    `${name}_${surname}`,
    `${name}+news`,
    `${name}${number}`,
    name,
    `${name[0]}.${surname}-${number}`,
  ])
  const text = `${local}@${domain}`
  return {
    type: 'EMAIL_ADDRESS',
    text: random.next() < 0.15 ? text.toUpperCase() : text,
    labels: ['email', 'E-Mail', 'contact', 'correo', '邮箱'],
  }
}

/** Issuer prefix, length and sizes of groups as printed. */
const NETWORKS: readonly (readonly [prefix: string, length: number, groups: readonly number[]])[] = [
  ['4', 16, [4, 4, 4, 4]],
  ['4', 13, [4, 3, 3, 3]],
  ['51', 16, [4, 4, 4, 4]],
  ['55', 16, [4, 4, 4, 4]],
  ['2221', 16, [4, 4, 4, 4]],
  ['2720', 16, [4, 4, 4, 4]],
  ['34', 15, [4, 6, 5]],
  ['37', 15, [4, 6, 5]],
  ['6011', 16, [4, 4, 4, 4]],
  ['65', 16, [4, 4, 4, 4]],
  ['36', 14, [4, 6, 4]],
  ['305', 14, [4, 6, 4]],
  ['3528', 16, [4, 4, 4, 4]],
  ['3589', 16, [4, 4, 4, 4]],
  ['62', 16, [4, 4, 4, 4]],
  ['62', 19, [6, 13]],
  ['2200', 16, [4, 4, 4, 4]],
  ['5018', 16, [4, 4, 4, 4]],
  ['6759', 18, [4, 4, 4, 4, 2]],
  ['9792', 16, [4, 4, 4, 4]],
  ['508', 16, [4, 4, 4, 4]],
]

function luhnDigit(digits: string): string {
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at]) * (at % 2 === 0 ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return String((10 - (sum % 10)) % 10)
}

function card(random: Random): Value {
  const [prefix, length, groups] = random.pick(NETWORKS)
  const body = prefix + random.digits(length - prefix.length - 1)
  const digits = body + luhnDigit(body)
  const separator = random.pick(['', ' ', '-'])
  let at = 0
  const parts = groups.map(size => digits.slice(at, (at += size)))
  return {
    type: 'CREDIT_CARD',
    text: parts.join(separator),
    labels: ['card', 'Kreditkarte', 'carte bancaire', 'PAN', 'カード'],
  }
}

/** BBAN structures (SWIFT IBAN Registry): n digits, a capital letters, c letters or digits. */
const BBANS: Readonly<Record<string, string>> = {
  AD: 'n8c12',
  AE: 'n19',
  AL: 'n8c16',
  AT: 'n16',
  AZ: 'a4c20',
  BA: 'n16',
  BE: 'n12',
  BG: 'a4n6c8',
  BH: 'a4c14',
  BR: 'n23a1c1',
  BY: 'c4n4c16',
  CH: 'n5c12',
  CR: 'n18',
  CY: 'n8c16',
  CZ: 'n20',
  DE: 'n18',
  DK: 'n14',
  DO: 'c4n20',
  EE: 'n16',
  EG: 'n25',
  ES: 'n20',
  FI: 'n14',
  FO: 'n14',
  FR: 'n10c11n2',
  GB: 'a4n14',
  GE: 'a2n16',
  GI: 'a4c15',
  GL: 'n14',
  GR: 'n7c16',
  GT: 'c24',
  HR: 'n17',
  HU: 'n24',
  IE: 'a4n14',
  IL: 'n19',
  IQ: 'a4n15',
  IS: 'n22',
  IT: 'a1n10c12',
  JO: 'a4n4c18',
  KW: 'a4c22',
  KZ: 'n3c13',
  LB: 'n4c20',
  LC: 'a4c24',
  LI: 'n5c12',
  LT: 'n16',
  LU: 'n3c13',
  LV: 'a4c13',
  LY: 'n21',
  MC: 'n10c11n2',
  MD: 'c20',
  ME: 'n18',
  MK: 'n3c10n2',
  MR: 'n23',
  MT: 'a4n5c18',
  MU: 'a4n19a3',
  NL: 'a4n10',
  NO: 'n11',
  PK: 'a4c16',
  PL: 'n24',
  PS: 'a4c21',
  PT: 'n21',
  QA: 'a4c21',
  RO: 'a4c16',
  RS: 'n18',
  SA: 'n2c18',
  SC: 'a4n20a3',
  SE: 'n20',
  SI: 'n15',
  SK: 'n20',
  SM: 'a1n10c12',
  ST: 'n21',
  SV: 'a4n20',
  TL: 'n19',
  TN: 'n20',
  TR: 'n6c16',
  UA: 'n6c19',
  VA: 'n18',
  VG: 'a4n16',
  XK: 'n16',
}

function iban(random: Random): Value {
  const country = random.pick(Object.keys(BBANS))
  const bban = (BBANS[country] ?? '').replace(/([nac])(\d+)/g, (_, kind: string, length: string) =>
    random.text(kind === 'n' ? 'digit' : kind === 'a' ? 'upper' : 'upperAlnum', Number(length)),
  )
  const numeric = [...`${bban}${country}00`].map(char => Number.parseInt(char, 36)).join('')
  const check = String(98n - (BigInt(numeric) % 97n)).padStart(2, '0')
  const whole = country + check + bban
  const text = random.pick([
    whole,
    whole.replace(/(.{4})(?=.)/g, '$1 '),
    whole.toLowerCase(),
    whole.replace(/(.{4})(?=.)/g, '$1-'),
  ])
  return { type: 'IBAN_CODE', text, labels: ['IBAN', 'Konto', 'account', 'compte', '口座'] }
}

function ssn(random: Random): Value {
  const area = random.pick([random.int(1, 665), random.int(667, 899)])
  const parts = [
    String(area).padStart(3, '0'),
    String(random.int(1, 99)).padStart(2, '0'),
    String(random.int(1, 9999)).padStart(4, '0'),
  ]
  const bare = random.next() < 0.25
  return {
    type: 'US_SSN',
    text: parts.join(bare ? '' : random.pick(['-', '-', ' '])),
    labels: ['SSN', 'social security number', 'ssn', 'Social Security No.'],
    needsLabel: bare,
  }
}

function itin(random: Random): Value {
  const text = `9${random.digits(2)}-${random.pick([random.int(50, 65), random.int(70, 88), random.int(94, 99)])}-${random.digits(4)}`
  return { type: 'US_ITIN', text, labels: ['ITIN', 'taxpayer id'] }
}

const REGIONS: readonly CountryCode[] = [
  'US',
  'CA',
  'GB',
  'DE',
  'FR',
  'ES',
  'IT',
  'NL',
  'BE',
  'CH',
  'AT',
  'SE',
  'NO',
  'DK',
  'FI',
  'PL',
  'CZ',
  'PT',
  'GR',
  'IE',
  'HU',
  'RO',
  'TR',
  'IL',
  'IN',
  'CN',
  'JP',
  'KR',
  'SG',
  'AU',
  'NZ',
  'ZA',
  'BR',
  'MX',
  'AR',
  'CL',
  'CO',
  'EG',
  'NG',
  'KE',
  'SA',
  'AE',
  'PK',
  'ID',
  'MY',
  'PH',
  'TH',
  'VN',
  'UA',
  'HK',
  'TW',
]

/** An example of the region's mobile numbers with other last digits. */
function phone(random: Random): Value {
  const number = getExampleNumber(random.pick(REGIONS), examples)
  if (number === undefined) throw new Error('no example')
  const labels = ['phone', 'Tel.', 'mobile', 'téléphone', 'teléfono', 'Telefon', 'call me at', '电话', '電話']
  const vary = (text: string) => {
    const tail = random.digits(3)
    let at = 3
    return text.replace(/\d(?=(?:\D*\d){0,2}\D*$)/g, () => tail[3 - at--] ?? '0')
  }
  const form = random.pick(['INTERNATIONAL', 'E.164', 'NATIONAL'] as const)
  return { type: 'PHONE_NUMBER', text: vary(number.format(form)), labels, needsLabel: form === 'NATIONAL' }
}

function ip(random: Random): Value {
  const octet = () => random.int(1, 254)
  const group = () => random.text('hex', 4).replace(/^0+(?=.)/, '')
  const v4 = () => `${random.pick([10, 172, 192, 203, 8, 51, 91, octet()])}.${octet()}.${octet()}.${octet()}`
  const v6 = () =>
    random.pick([
      `2001:db8::${group()}:${group()}`,
      `fe80::${group()}:${group()}:${group()}:${group()}`,
      `2a02:${group()}:${group()}:${group()}:${group()}:${group()}:${group()}:${group()}`,
    ])
  return {
    type: 'IP_ADDRESS',
    text: random.next() < 0.7 ? v4() : v6(),
    labels: ['ip', 'host', 'client', 'remote_addr', 'IP-Adresse'],
  }
}

function mac(random: Random): Value {
  return {
    type: 'MAC_ADDRESS',
    text: random.form(random.pick(['a%:%%:%%:%%:%%:%%', 'A#-#B-##-C#-D#-##', '%%%%.%%%%.%%%%'])),
    labels: ['mac', 'hw', 'ether'],
  }
}

function nhs(random: Random): Value {
  for (;;) {
    const nine = random.digits(9)
    const sum = [...nine].reduce((total, digit, at) => total + Number(digit) * (10 - at), 0)
    const check = (11 - (sum % 11)) % 11
    if (check === 10 || nine.startsWith('0')) continue
    return {
      type: 'UK_NHS',
      text: `${nine.slice(0, 3)} ${nine.slice(3, 6)} ${nine.slice(6)}${check}`,
      labels: ['NHS number', 'NHS no.'],
      needsLabel: true,
    }
  }
}

const MAKERS: readonly Maker[] = [email, card, iban, ssn, itin, phone, ip, mac, nhs]

export function personalValue(random: Random): Value {
  return random.pick(MAKERS)(random)
}

import { describe, expect, it } from 'vitest'
import { followsSecretName } from '../../../src/guard/validators/assigned-name.ts'
import { continuesOther, isCardNumber, isProductNumber, isTravelCard } from '../../../src/guard/validators/card.ts'
import { icaoCheck, luhnNumber } from '../../../src/guard/validators/check-digits.ts'
import {
  areCommandCredentials,
  areUrlCredentials,
  isAssignedSecret,
} from '../../../src/guard/validators/credentials.ts'
import { isWalletAddress } from '../../../src/guard/validators/crypto.ts'
import { isBirthDate } from '../../../src/guard/validators/dates.ts'
import { isEmail, isSpelledEmail } from '../../../src/guard/validators/email.ts'
import { isIdentifier, isSequence, mixesDigits } from '../../../src/guard/validators/entropy.ts'
import { isEuVat } from '../../../src/guard/validators/eu-vat.ts'
import { IBAN_COUNTRIES, isIban } from '../../../src/guard/validators/iban.ts'
import { isIpv4, isIpv6, isMac } from '../../../src/guard/validators/network.ts'
import { isPhone } from '../../../src/guard/validators/phone.ts'
import { isNhsNumber, isNino, isPostcode } from '../../../src/guard/validators/uk.ts'
import { isUrl } from '../../../src/guard/validators/url.ts'
import { isItin, isSsn } from '../../../src/guard/validators/us.ts'

/** The examples of the SWIFT IBAN Registry. */
const IBANS = [
  'AD1400080001001234567890 AE460090000000123456789 AL35202111090000000001234567 AT483200000012345864',
  'AZ77VTBA00000000001234567890 BA393385804800211234 BE71096123456769 BG18RZBB91550123456789 BH02CITI00001077181611',
  'BR1500000000000010932840814P2 BY86AKBB10100000002966000000 CH5604835012345678009 CR23015108410026012345',
  'CY21002001950000357001234567 CZ5508000000001234567899 DE75512108001245126199 DK9520000123456789',
  'DO22ACAU00000000000123456789 EE471000001020145685 EG800002000156789012345180002 ES7921000813610123456789',
  'FI1410093000123458 FO9264600123456789 FR7630006000011234567890189 GB33BUKB20201555555555 GE60NB0000000123456789',
  'GI04BARC000001234567890 GL8964710123456789 GR9608100010000001234567890 GT20AGRO00000000001234567890',
  'HR1723600001101234565 HU93116000060000000012345676 IE64IRCE92050112345678 IL170108000000012612345',
  'IQ20CBIQ861800101010500 IS750001121234563108962099 IT60X0542811101000000123456 JO71CBJO0000000000001234567890',
  'KW81CBKU0000000000001234560101 KZ563190000012344567 LB92000700000000123123456123 LC14BOSL123456789012345678901234',
  'LI7408806123456789012 LT601010012345678901 LU120010001234567891 LV97HABA0012345678910 MC5810096180790123456789085',
  'MD21EX000000000001234567 ME25505000012345678951 MK07200002785123453 MR1300020001010000123456753',
  'MT31MALT01100000000000000000123 MU43BOMM0101123456789101000MUR NL02ABNA0123456789 NO8330001234567',
  'PK36SCBL0000001123456702 PL10105000997603123456789123 PS92PALS000000000400123456702 PT50002700000001234567833',
  'QA54QNBA000000000000693123456 RO66BACX0000001234567890 SA4420000001234567891234 SE7280000810340009783242',
  'SI56192001234567892 SK8975000000000012345671 TN5904018104004942712345 TR320010009999901234567890',
  'UA903052992990004149123456789 VA59001123000012345678 VG21PACG0000000123456789 XK051212012345678906',
].flatMap(line => line.split(' '))

describe('isIban', () => {
  it.each(IBANS)('takes %s, and no other check digits', iban => {
    expect(IBAN_COUNTRIES).toContain(iban.slice(0, 2))
    expect(isIban(iban)).toBe(true)
    expect(isIban(iban.toLowerCase())).toBe(true)
    expect(isIban(iban.slice(0, -1))).toBe(false)
    const other = String((Number(iban.slice(2, 4)) + 1) % 97).padStart(2, '0')
    expect(isIban(iban.slice(0, 2) + other + iban.slice(4))).toBe(false)
  })
})

/** Test numbers that payment providers publish. */
const CARDS = [
  '4242424242424242 4000056655665556 4012888888881881 4222222222222 5555555555554444 2223003122003222 5105105105105100',
  '378282246310005 371449635398431 6011111111111117 6011000990139424 3056930009020004 36227206271667 6555900000604105',
  '3566002020360505 3530111333300000 6200000000000005 6759649826438453',
].flatMap(line => line.split(' '))

describe('cards', () => {
  it.each(CARDS)('take %s, in fours as well', card => {
    expect(isCardNumber(card)).toBe(true)
    expect(isCardNumber(card.replace(/(\d{4})(?=\d)/g, '$1 '))).toBe(true)
    expect(isCardNumber(card.slice(0, -1) + ((Number(card.at(-1)) + 1) % 10))).toBe(false)
  })

  it('leave lists, counts and numbers of other things', () => {
    expect(isCardNumber('4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2')).toBe(false)
    expect(isCardNumber('586 49828 160 32975 68')).toBe(false)
    expect(isProductNumber('4097390142067', 'EAN ')).toBe(true)
    expect(isProductNumber('4222222222222', 'card ')).toBe(false)
    for (const before of ['PL28 ', '0x', '1.', 'x = 61d21af3583dbb'])
      expect(continuesOther('4111', before), before).toBe(true)
    for (const before of ['', 'card ', '2024 ']) expect(continuesOther('4111', before), before).toBe(false)
    expect(isTravelCard('122000000000003')).toBe(true)
  })
})

const TAKEN = true
const LEFT = false

type Case = readonly [
  check: (match: string, before: string) => boolean | undefined,
  taken: boolean,
  matches: string,
  before?: string,
]

/** By check: matches of the form, a space and a bar between them, and what stands in front. */
const CASES: readonly Case[] = [
  [isEmail, TAKEN, 'jane@example.com | o.b-r@mail.example.co.uk | a+b@x.io'],
  [isEmail, LEFT, 'jane.@example.com | j..d@example.com | logo@2x.png | git@github.com | a@-b.com'],
  [isSpelledEmail, TAKEN, 'jane at example dot com | jane(at)example.com'],
  [isSpelledEmail, LEFT, 'look at example.com | jane at example dot 42'],
  [isSsn, TAKEN, '123-45-6789 | 219-09-1234 | 078.05.1123 | 899-99-9999'],
  [isSsn, LEFT, '000-12-3456 | 666-12-3456 | 900-12-3456 | 123-00-4567 | 123-45-0000 | 078-05-1120 | 123456789'],
  [isSsn, TAKEN, '123456789 | 803 59 5055', 'Social Security No. '],
  [isSsn, LEFT, '803 59 5055', 'Suite '],
  [isItin, TAKEN, '912-70-1234 | 999-88-1234 | 900-50-0001'],
  [isItin, LEFT, '912-66-1234 | 912-93-1234 | 912-49-1234'],
  [isNhsNumber, TAKEN, '943 476 5919 | 4010232137', 'NHS number: '],
  [isNhsNumber, LEFT, '943 476 5918 | 4010232138', 'NHS number: '],
  [isNino, TAKEN, 'AB 12 34 56 C | QQ123456A | JG103759A'.replace('QQ123456A', 'CE123456D')],
  [isNino, LEFT, 'BG 12 34 56 C | GB123456A'],
  [isPostcode, TAKEN, 'M1 1AA | M60 1NW | CR2 6XH | DN55 1PT | W1A 1HQ | EC1A 1BB | GIR 0AA'],
  [isPostcode, LEFT, 'Q1 1AA | SW1A 1CA | M1 1AI'],
  [isIpv4, TAKEN, '192.0.2.1 | 198.51.100.7 | 203.0.113.200 | 10.0.0.1'],
  [isIpv4, LEFT, '256.1.1.1 | 127.0.0.1 | 0.0.0.0 | 255.255.255.0 | 192.0.02.1'],
  [isIpv4, LEFT, '7.1.1.5 | 13.6.31.17', 'see '],
  [isIpv4, TAKEN, '8.8.8.8', 'dns server '],
  [isIpv4, LEFT, '113.6.233.17', 'update V8 to '],
  [isIpv6, TAKEN, '2001:db8::1 | fe80::1 | ::ffff:192.0.2.1 | 2001:db8:85a3:0:0:8a2e:370:7334'],
  [isIpv6, LEFT, '::1 | a::b | 1:2:3:4:5:6:7 | 2001:db8::1::2 | ffff:ffff::'],
  [isMac, TAKEN, '00-00-5E-00-53-01 | 00:00:5e:00:53:ff | 0000.5e00.53af'],
  [isMac, LEFT, '00:00:00:00:00:00 | ff:ff:ff:ff:ff:ff'],
  [isUrl, TAKEN, 'https://example.com/x | www.example.io | example.co.uk | ftp://example.org'],
  [isUrl, LEFT, 'http://localhost | www.example | this.is | file.ts | a..b.com'],
  [
    isPhone,
    TAKEN,
    '+1 201-555-0123 | +44 20 7946 0018 | (201) 555-0123 | 020 7946 0018 | 07911123456 | 0 (532) 123 45 67',
  ],
  [isPhone, LEFT, '+999 12345678 | +35236450.6 | 06.05.2024 12:30 | 1,234 | 01 02 03 04 05 06 | 0226 0304'],
  [isPhone, LEFT, '02110-1301', 'Boston, MA '],
  [isPhone, LEFT, '+ 31536000000', 'cachedAt '],
  [isPhone, TAKEN, '912 345 306 | 2015550123 | 785 8949', '我的电话是'],
  [isPhone, LEFT, '68261113', 'call https://example.com/a/'],
  [isWalletAddress, TAKEN, '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa | bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
  [isWalletAddress, LEFT, '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb | bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5'],
  [isBirthDate, TAKEN, '1985-03-12 | 12/03/1985 | 12 March 1985 | May 5th, 1985'],
  [isBirthDate, LEFT, '1985-13-32 | 32/13/1985 | 31 Febtober 1985'],
  [luhnNumber, TAKEN, '79927398713'],
  [luhnNumber, LEFT, '79927398714 | 00000000000'],
  [icaoCheck, TAKEN, 'L898902C36 | 7408122 | 1204159'],
  [icaoCheck, LEFT, 'L898902C37'],
  [isEuVat, TAKEN, 'ATU13585627 | FR40303265045 | NL004495445B01'],
  [areUrlCredentials, TAKEN, 'app:s3cr3t@', 'postgres://'],
  [areUrlCredentials, LEFT, 'user:password@ | ${USER}:${PASSWORD}@ | u:xxxx@', 'postgres://'],
  [areUrlCredentials, LEFT, 'app:s3cr3t@', 'note '],
  [areCommandCredentials, TAKEN, "-u elastic:P@ssw0rd$1 | --user 'johns:h0pk1ns~21s' | -u d2LkV78zLx!t:"],
  [areCommandCredentials, LEFT, '-u user:password | -u 1000:1000 | -u $USER:$PASS'],
  [isAssignedSecret, TAKEN, 'hunter2-Xk93qz | 9f8a7c6b5d4e3f2a1b0c', 'password = "'],
  [isAssignedSecret, LEFT, 'changeme | abc123def456ghi789 | your-api-key-1 | 12345678', 'password = "'],
  [isAssignedSecret, LEFT, 'X509Credential | exports.findX509Error | SHA256_DIGEST_SIZE', 'credential = '],
]

describe.each(
  CASES.map(
    ([check, taken, matches, before = '']) => [check.name, taken ? 'takes' : 'leaves', matches, before, check] as const,
  ),
)('%s', (_, verb, matches, before, check) => {
  it.each(matches.split(' | '))(`${verb} %s behind ${JSON.stringify(before)}`, match => {
    expect(check(match, before) === true).toBe(verb === 'takes')
  })
})

describe('followsSecretName', () => {
  const named = [
    'ADMIN_PASSWORD=',
    'export API_KEY="',
    '"client_secret": "',
    "accessToken := '",
    'tool --auth-token ',
    'ENV SESSION_SECRET ',
    'System.setProperty("AUTH_TOKEN", "',
    '"name": "DB_PASSWORD", "value": "',
    '<add key="apiKey" value="',
    '| api_key | `',
    'the password is ',
    'das Passwort lautet ',
    '密码是',
    'Authorization: Bearer ',
    'machine example.com login bob password ',
    'https://api.example.com/?token=',
  ]
  it.each(named)('takes %j', before => expect(followsSecretName(before)).toBe(true))

  const others = [
    '',
    'the tokeniser ',
    'public_key = "',
    'csrf_token: ',
    'nextPageToken: "',
    'authenticity_token" value="',
    'uint8_t digest[',
    'a basic ',
    'const name = "',
    'tokenizer: ',
    'password policy: ',
  ]
  it.each(others)('leaves %j', before => expect(followsSecretName(before)).toBe(false))
})

describe('texts that a hand wrote', () => {
  it('tell sequences and names from random ones', () => {
    for (const text of ['abc123xyz-456def', '1234567890', 'abcdefgh']) expect(isSequence(text), text).toBe(true)
    for (const text of ['8kP2mQ9vL4xR7wZ1', 'hunter2-Xk93qz']) {
      expect(isSequence(text), text).toBe(false)
      expect(isIdentifier(text), text).toBe(false)
    }
    for (const text of ['X509Credential', 'config.getTokenV2Value', 'SHA256_DIGEST_SIZE']) {
      expect(isIdentifier(text), text).toBe(true)
    }
    expect(mixesDigits('abc1')).toBe(true)
    expect(mixesDigits('abc')).toBe(false)
    expect(mixesDigits('12-34')).toBe(false)
  })
})

/**
 * Texts made to cost the guard as much as they can: rows of numbers in every grouping, near misses of the built-in forms, the
 * words that forms ask for in front, obfuscation, and random mixtures, in which hardly a sequence comes twice.
 */

/** The same numbers at every run. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * below)
  }
}

const DIGITS = [...'0123456789']
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz']
const numbers = (below: number, end: string) => Array.from({ length: 60 }, (_, at) => `${(at * 7919) % below}${end}`)
const words = (line: string) => line.split(' ').map(word => `${word} `)

const LABELS = words(
  'tin nip ssn passport phone call card iban nhs tax id vat license plate reg number account routing pan aadhaar rrn siret bsn',
)

/** What a text of each kind is made of: one part again and again, or several by chance. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  'digits with dots': ['1.1.1.1.'],
  'digits with spaces': ['1 2 3 4 '],
  'digits with dashes': ['12-34-56-78-'],
  'digits with slashes': ['1/2/34/5/'],
  'card groups': ['4111 1111 1111 1112 '],
  'card groups with dashes': ['4111-1111-1111-1112-'],
  'local phones': ['030 1234 567 0'],
  'phones with plus': ['+49 30 90182 (0) '],
  'area codes': ['(201) 555-012 '],
  'full-width digits': ['１２３４　'],
  'mathematical digits': ['𝟏𝟐𝟑𝟒 '],
  'digits apart': ['1\u200b\u200b\u200b'],
  addresses: ['a.b@'],
  'addresses with dots': ['a.b.c@d-e.f-'],
  'long addresses': ['a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z@a.'],
  'hexadecimal with dashes': ['a1b2-'],
  hexadecimal: ['deadbeef01'],
  colons: ['1:'],
  octets: ['9b:88:68:76:76:1g '],
  'key beginnings': ['AKIA'],
  accounts: ['DE89 3704 0044 0532 0130 01 '],
  'credentials in addresses': ['://a:b:c:d:e@f@'],
  'assigned words': ['password = "a1.b2.c3.d4.e5", '],
  'digits, random': [...DIGITS],
  'digits and spaces, random': [...DIGITS, ' '],
  'digits and signs, random': [...DIGITS, ...' .-/()+:,'],
  'groups, random': ['12 ', '123 ', '1234 ', '12-', '123-', '1.', '12.', '0', '00', '+', '(0'],
  'digits by ones and twos, random': ['0', '1', '2', '3 ', '4 ', '5', '6 ', '7-', '8', '9'],
  'hexadecimal, random': [...'0123456789abcdef:- '],
  'letters and digits, random': [...LETTERS, ...DIGITS, ' ', ' ', ' '],
  'ASCII, random': Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)),
  'addresses, random': [...'ab1.@-_ '],
  'assignments, random': [...'pasword=:"1x._ '],
  'labels and numbers, random': [...LABELS, ...numbers(10_000, ' ')],
  'few labels, many numbers, random': [...LABELS.slice(0, 8), ...numbers(1000, ' ')],
  'phone words and numbers, random': ['call ', 'phone ', 'tel. ', ...numbers(1000, ' '), ...numbers(100, '-')],
  'full-width, random': [...'０１２３４５６７８９　．－'],
}

/** The kinds of texts, by name. */
export const HOSTILE_KINDS: readonly string[] = Object.keys(KINDS)

/** A text of a kind; another one for every seed where the kind is random. */
export function hostileText(kind: string, length: number, seed = 1): string {
  const parts = KINDS[kind] ?? [kind]
  const below = generator(seed)
  let text = ''
  while (text.length < length) text += parts[below(parts.length)] ?? ''
  return text.slice(0, length)
}

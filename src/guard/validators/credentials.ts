import { entropy, looksRandom, mixesDigits } from './entropy.ts'

const SCHEME = /[a-z][a-z0-9+.-]{1,20}:\/\/$/i
/** Shell, template and format variables, and words that stand for a password. */
const VARIABLE = /[${}<>[\]%]/
const STAND_INS = new Set([
  'password',
  'pass',
  'passwd',
  'pwd',
  'secret',
  'token',
  'pw',
  'user',
  'username',
  'xxx',
  'test',
])

/** Whether the match is `user:password@` behind a scheme, with a password that is not a variable or a stand-in. */
export function areUrlCredentials(match: string, before: string): boolean {
  if (!SCHEME.test(before.slice(-24))) return false
  const password = match.slice(match.indexOf(':') + 1, -1)
  if (VARIABLE.test(password) || STAND_INS.has(password.toLowerCase())) return false
  return !/^(.)\1*$/.test(password)
}

/** Parts of names whose values are secret; a name counts if it ends in one, once its last qualifiers are off. */
const NAMES = [
  [
    'password',
    'passwd',
    'passphrase',
    'pwd',
    'passcode',
    'secret',
    'token',
    'apikey',
    'accesskey',
    'authkey',
    'secretkey',
  ],
  ['privatekey', 'encryptionkey', 'signingkey', 'accountkey', 'sharedkey', 'masterkey', 'clientsecret', 'credential'],
  [
    'credentials',
    'authorization',
    'passwort',
    'kennwort',
    'contrase\u00f1a',
    'sharedaccesskey',
    'licensekey',
    'servicekey',
  ],
].flat()

/** Names whose values are public or no secrets although they end in one of the above. */
const PUBLIC = [
  'public',
  'publishable',
  'csrf',
  'xsrf',
  'next',
  'page',
  'max',
  'min',
  'total',
  'cancellation',
  'continuation',
]

/** Words between the header's name and its value. */
const SCHEMES = ['bearer', 'basic', 'token', 'api-token', 'apikey', 'digest']

/**
 * Whether the match is a value assigned to a name such as `password`: `name = "value"`, `"name": "value"`, `name is value`,
 * `**name** → value`, `Authorization: Bearer value`. The value has to look random, with both letters and digits.
 */
export function isAssignedSecret(match: string, before: string): boolean {
  // Nearly all are words, which this tells at once.
  if (!mixesDigits(match) || !isSecretName(assignedName(before))) return false
  if (VARIABLE.test(match.slice(0, 2)) || !looksRandom(match)) return false
  return entropy(match) >= (match.length < 20 ? 2.75 : 3)
}

/** The name in front of the assignment that ends `before`, or ''. */
function assignedName(before: string): string {
  let at = skipBack(before, before.length, ' \t"\'`*_([\\')
  const word = wordBack(before, at)
  const lower = before.slice(word, at).toLowerCase()
  if (SCHEMES.includes(lower) && at < before.length) return 'authorization'
  if (lower === 'is') {
    at = word
  } else {
    const end = at
    at = skipBack(before, at, '=:>|\u2192')
    if (at === end) return ''
  }
  at = skipBack(before, at, ' \t"\'`*_)]\\')
  return before.slice(wordBack(before, at), at)
}

function isSecretName(name: string): boolean {
  if (name === '') return false
  const plain = name.toLowerCase().replace(/[._-]/g, '')
  if (PUBLIC.some(word => plain.includes(word))) return false
  return NAMES.some(secret => plain.endsWith(secret)) || /(?:secret|password|token)(?:value|key)$/.test(plain)
}

function skipBack(text: string, from: number, characters: string): number {
  let at = from
  while (at > 0 && characters.includes(text.charAt(at - 1))) at--
  return at
}

/** Where the name (letters, digits, `_`, `.`, `-`) that ends at `from` begins. */
function wordBack(text: string, from: number): number {
  let at = from
  while (at > 0 && /[\p{L}\d_.-]/u.test(text.charAt(at - 1))) at--
  return at
}

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

/** Words that stand for a secret in documents. */
const PLACEHOLDER = /^(?:your|my|the|some)[-_ ]|(?:password|secret|token|api_?key|key)$|x{4}|\*{3}/i

/** The inside of a label or a stand-in that the guard has put in place of a secret. */
const REPLACED = /^[A-Z][A-Z0-9_]*_(?:REDACTED|[0-9a-f]{12}|\d{1,7})$/

/** Members of an object with hardly a digit (`config.tokenV2`), and names with a version (`jjwt-jackson-0.11.2`). */
const CODE = /^[a-z_][a-z_]*\d{0,3}(?:\.[a-z_][a-z_]*\d{0,3}){1,8}$|^[a-z][a-z-]*-\d{1,3}(?:\.\d{1,3}){1,3}$/i

/** Whether the match is `user:password@` behind a scheme, with a password that is not a variable or a stand-in. */
export function areUrlCredentials(match: string, before: string): boolean {
  if (!SCHEME.test(before.slice(-24))) return false
  const password = match.slice(match.indexOf(':') + 1, -1)
  if (VARIABLE.test(password) || STAND_INS.has(password.toLowerCase())) return false
  return !/^(.)\1*$/.test(password)
}

/**
 * Whether the match is `user:password`, or either with nothing on the other side, behind curl's option for it, which is part of the match; not the numbers
 * of a user and a group, and not a variable or a stand-in.
 */
export function areCommandCredentials(match: string): boolean {
  const plain = match.replace(/^-{1,2}[a-zA-Z-]+[ =]+/, '').replace(/["']/g, '')
  const colon = plain.indexOf(':')
  const parts = [plain.slice(0, colon), plain.slice(colon + 1)]
  const secret = parts[1] === '' ? parts[0] : parts[1]
  if (secret === undefined || secret.length < 6 || /^[$%]|[<>[\]]|\$\{/.test(secret)) return false
  if (STAND_INS.has(secret.toLowerCase()) || /^(.)\1*$/.test(secret)) return false
  return entropy(secret) >= 2 && !/^\d+$/.test(secret) && !PLACEHOLDER.test(secret)
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
  ['credentials', 'authorization', 'passwort', 'kennwort', 'contraseña', 'sharedaccesskey', 'licensekey', 'servicekey'],
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
  if (!mixesDigits(match) || !isAssigned(before)) return false
  if (before.endsWith('[') && REPLACED.test(match)) return false
  if (VARIABLE.test(match.slice(0, 2)) || CODE.test(match) || !looksRandom(match)) return false
  return entropy(match) >= (match.length < 20 ? 2.75 : 3)
}

/** Whether the text ends in an assignment to the name of a secret. */
export function isAssigned(before: string): boolean {
  return isSecretName(assignedName(before))
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
    at = skipBack(before, at, '=:>|→')
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

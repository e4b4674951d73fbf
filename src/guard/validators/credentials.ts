import { followsSecretName } from './assigned-name.ts'
import { entropy, isIdentifier, isSequence, looksRandom, mixesDigits } from './entropy.ts'

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

/** Members of an object with hardly a digit (`config.tokenV2`), and names with a version (`jjwt-jackson-0.11.2`) or a number. */
const CODE = /^[a-z_][a-z_]*\d{0,3}(?:\.[a-z_][a-z_]*\d{0,3}){1,8}$|^[a-z][a-z-]*[-_]\d{1,3}(?:\.\d{1,3}){0,3}$/i

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

/** Parameters of a URL or a form: a value ends at the next `&`. */
const IN_QUERY = /[?&][\w.-]{1,48}=$/
const NEXT_PARAMETER = /&[a-z_]{3,48}(?:=|$)/i

/**
 * Whether the match is a value assigned to a name such as `password`: `name = "value"`, `"name": "value"`, `name is value`,
 * `**name** → value`, `--name value`, `Authorization: Bearer value`. The value has to look random, with letters and digits.
 */
export function isAssignedSecret(match: string, before: string): boolean {
  // Nearly all are words, which this tells at once.
  if (!mixesDigits(match) || !followsSecretName(before)) return false
  if (before.endsWith('[') && REPLACED.test(match)) return false
  if (match.includes('&') && (IN_QUERY.test(before) || NEXT_PARAMETER.test(match))) return false
  if (VARIABLE.test(match.slice(0, 2)) || CODE.test(match) || isSequence(match) || !looksRandom(match)) return false
  if (!/["'`]$/.test(before) && isIdentifier(match)) return false
  return entropy(match) >= (match.length < 20 ? 2.5 : 3)
}

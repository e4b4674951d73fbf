/**
 * The names of secrets: what a value is assigned to in configuration, code, commands and prose. Everything here looks at the
 * end of the text in front of a value, which is at most a line or two.
 */

/** Endings of names whose values are secret, without separators. */
export const SECRET_ENDINGS = [
  'password passwd passphrase passwords pwd passcode secret token apikey accesskey authkey secretkey privatekey encryptionkey',
  'signingkey accountkey sharedkey masterkey clientsecret credential credentials authorization sharedaccesskey licensekey',
  'licencekey servicekey appkey consumerkey sessionkey subscriptionkey functionkey storagekey hmackey aeskey bearer',
  'passwort kennwort wachtwoord contraseña contrasena motdepasse passe senha lösenord losenord passord adgangskode salasana',
  'hasło haslo heslo parola sifre şifre jelszó пароль パスワード 密码 密碼 口令 비밀번호 secretvalue passwordvalue tokenvalue',
  'tokenkey passwordkey',
].flatMap(line => line.split(' '))

/** Words in a name that make its value public, or no secret, although it ends in one of the above. */
const PUBLIC_WORDS = new Set(['public', 'publishable', 'csrf', 'xsrf', 'authenticity', 'cancellation', 'continuation'])

/** Tokens that say where a list goes on. */
const CURSOR = /(?:next|page|sync|resume)token$/

/** Words between a header's name and its value. */
const SCHEMES = new Set(['bearer', 'basic', 'token', 'api-token', 'apikey'])

/** Verbs between a name and its value. */
const VERBS = new Set(['is', 'ist', 'lautet', 'est', 'es', 'é', 'è', 'være', 'är'])

const QUOTES_AND_MARKS = ' \t"\'`*_([\\'

/** An attribute or member called "value": its name stands in the one in front. */
const NAMED_VALUE = /(?:key|name)["']? ?[:=] ?["']?([\p{L}\d_.-]{1,48})["']?[ ,]{0,3}["']?value["']? ?[:=] ?["']?$/iu

/** A call with a name and a value: `setProperty("NAME", "`. */
const NAMED_ARGUMENT = /["']([\p{L}\d_.-]{1,48})["'], ?["']$/u

/** A name with only a space behind it: in a Dockerfile, a Windows shell, a netrc file, and as a command's option. */
const SPACED_NAME = /(?:(?:^|\s)(?:ENV|ARG|setx) |(?:^|\s)--|login \S{1,40} )([\p{L}\d_.-]{1,48}) ["']?$/u

/** Whether what follows `before` is the value of something that is called a secret. */
export function followsSecretName(before: string): boolean {
  return isSecretName(assignedName(before))
}

/** The name in front of the assignment that ends `before`, or ''. */
function assignedName(before: string): string {
  const paired = SPACED_NAME.exec(before) ?? NAMED_ARGUMENT.exec(before) ?? NAMED_VALUE.exec(before)
  if (paired !== null) return paired[1] ?? ''
  let at = skipBack(before, before.length, QUOTES_AND_MARKS)
  const word = wordBack(before, at)
  const lower = before.slice(word, at).toLowerCase()
  if (SCHEMES.has(lower) && before[at] === ' ' && (lower !== 'basic' || /[:="'`] ?$/.test(before.slice(0, word)))) {
    return 'authorization'
  }
  if (VERBS.has(lower)) {
    at = word
  } else {
    const end = at
    at = skipBack(before, at, '=:>|→是は')
    if (at === end) return ''
  }
  at = skipBack(before, at, ' \t"\'`*_)]\\?')
  return before.slice(wordBack(before, at), at)
}

function isSecretName(name: string): boolean {
  if (name === '') return false
  const words = name
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1_$2')
    .toLowerCase()
    .split(/[._-]/)
  const plain = words.join('')
  if (words.some(word => PUBLIC_WORDS.has(word)) || plain.startsWith('public') || CURSOR.test(plain)) return false
  return SECRET_ENDINGS.some(ending => plain.endsWith(ending))
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

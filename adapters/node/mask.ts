const MASKED = '***'
/** Longest text a field may carry into a log line. */
const MAX_TEXT = 2000

/** Field names under which nothing is ever printed, whatever the caller meant. `tokenId` or `inputTokens` are not of these. */
const SECRET_NAMES =
  /^(authorization|cookie|set-?cookie|password|passphrase|secret|token|jwt|bearer|api_?key|x-api-key|private_?key|hmac_?secret|credentials?|prompt|completion|body|content|messages)$/i

/** What looks like a credential inside a text: tokens, provider keys, key files, and the user part of URLs. */
const SECRET_SHAPES =
  /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}|\b(?:sk|pk|rk|hf|ghp|gho|xoxb|AKIA)[-_]?[A-Za-z0-9_-]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g
const URL_USER = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi

/** A field as it may be printed. The second line of defence: callers do not hand secrets over in the first place. */
export function masked(name: string, value: unknown): unknown {
  if (SECRET_NAMES.test(name)) return MASKED
  if (typeof value !== 'string') return value
  const text = value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
  return text.replace(SECRET_SHAPES, MASKED).replace(URL_USER, `$1${MASKED}@`)
}

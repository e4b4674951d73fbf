import * as v from 'valibot'
import { SCOPES } from '../auth/scopes.ts'
import { list, oneOf, quantity, someOf, text, yesOrNo } from './fields.ts'
import {
  DEFAULT_EXPIRY_WARNING_MS,
  DEFAULT_KEY_COOLDOWN_MS,
  DEFAULT_KEY_EVERY_MS,
  DEFAULT_KEY_STALE_MS,
  DEFAULT_KEY_TIMEOUT_MS,
  DEFAULT_REVOCATION_MAX_AGE_MS,
  DEFAULT_TRUSTED_LIFETIME_MS,
  MAX_KEY_STALE_MS,
  MAX_KEY_TIMEOUT_MS,
  MAX_REVOCATION_MAX_AGE_MS,
  MAX_TIMEOUT_MS,
  MAX_TOKEN_LIFETIME_MS,
} from './limits.ts'
import { formatQuantity } from './units.ts'

/** The `tokens` part of the document: whose tokens are taken. */

const described = v.description

const duration = (min: number, max: number, fallback: number, help: string) =>
  v.optional(v.pipe(quantity('duration', min, max), described(help)), formatQuantity('duration', fallback))

const ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const

const algorithms = v.optional(
  v.pipe(
    list(oneOf(ALGORITHMS)),
    v.minLength(1, 'should name at least one algorithm'),
    described('Signature algorithms that are accepted.'),
  ),
  [...ALGORITHMS],
)

const jwks = text()

/** Whether a key set is fetched; otherwise it is a file. */
export function isKeyUrl(jwks: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(jwks)
}

const source = (what: string) => v.exactOptional(v.pipe(text(200), described(what)))

const trustedIssuer = v.strictObject({
  issuer: v.pipe(text(), described('Its `iss`, letter for letter.')),
  jwks: v.pipe(jwks, described('Its public keys: an https URL, or a JWK Set file.')),
  audience: v.pipe(someOf(text()), described('What `aud` has to name: one, or several of which it has to name one.')),
  algorithms,
  types: v.optional(
    v.pipe(
      list(v.pipe(text(100), v.regex(/^[\w.+/-]+$/, 'should be a media type such as at+jwt or JWT, or none'))),
      v.minLength(1, 'should name at least one type'),
      described('What `typ` in the header may be; `none`: there may be none.'),
    ),
    ['at+jwt'],
  ),
  maxLifetime: duration(
    1000,
    MAX_TOKEN_LIFETIME_MS,
    DEFAULT_TRUSTED_LIFETIME_MS,
    'Longest life of a token, at most 90d.',
  ),
  scopes: v.optional(
    v.pipe(list(oneOf(SCOPES)), described('What its tokens may allow at most; other scopes in them are left away.')),
    ['inference', 'models:read'],
  ),
  claims: v.optional(
    v.pipe(
      v.strictObject({
        team: source('Where the team is; by default in `team`.'),
        app: source('Where the application is; by default in `app`.'),
        env: source('Where the environment is; by default in `env`.'),
        scope: source('Where the scopes are; by default in `scope`, else `scp`.'),
        models: source('Where the models are; by default in `models`, and all where there is none.'),
        tokenId: source('Where the id of the token is; by default in `jti`, else its SHA-256 counts.'),
        subject: source('Where the subject is; by default in `sub`.'),
      }),
      described('Where claims are: a path such as `groups.0`, a JSON Pointer, or `=text` for a fixed value.'),
    ),
    {},
  ),
})

const keyFetch = v.strictObject({
  every: duration(1000, MAX_TIMEOUT_MS, DEFAULT_KEY_EVERY_MS, 'Between two looks; a removed key goes on for as long.'),
  cooldown: duration(
    100,
    MAX_TIMEOUT_MS,
    DEFAULT_KEY_COOLDOWN_MS,
    'After a look, until an unknown key causes another.',
  ),
  timeout: duration(
    100,
    MAX_KEY_TIMEOUT_MS,
    DEFAULT_KEY_TIMEOUT_MS,
    'Longest time for a look; callers may wait for it.',
  ),
  maxStale: duration(
    1000,
    MAX_KEY_STALE_MS,
    DEFAULT_KEY_STALE_MS,
    'For how long keys go on that cannot be looked at again, files too; then tokens are refused.',
  ),
  ca: v.exactOptional(v.pipe(text(), described('PEM file of authorities for key URLs, beside the platform’s.'))),
  insecure: v.optional(v.pipe(yesOrNo, described('Allow http: URLs of keys on this machine.')), false),
})

export const TOKENS = v.strictObject({
  issuer: v.optional(v.pipe(text(), described('The `iss` claim of tokens.')), 'sallyport'),
  audience: v.optional(v.pipe(text(), described('What the `aud` claim has to name.')), 'sallyport'),
  jwks: v.optional(v.pipe(jwks, described('Public keys: a JWK Set file, or an https URL.')), 'keys/public.jwks.json'),
  maxLifetime: v.optional(
    v.pipe(quantity('duration', 1000, MAX_TOKEN_LIFETIME_MS), described('Longest life of a token, at most 90d.')),
    '90d',
  ),
  algorithms,
  requireBound: v.optional(
    v.pipe(yesOrNo, described('Accept only tokens that are bound to a client certificate (RFC 8705).')),
    false,
  ),
  revocation: v.optional(
    v.strictObject({
      maxAge: duration(
        1000,
        MAX_REVOCATION_MAX_AGE_MS,
        DEFAULT_REVOCATION_MAX_AGE_MS,
        'For how long the last known revocations count while the store cannot be read.',
      ),
      onFailure: v.optional(
        v.pipe(oneOf(['deny', 'serve']), described('What happens to requests after that, and before the first read.')),
        'deny',
      ),
    }),
    {},
  ),
  expiryWarning: duration(
    1000,
    MAX_TOKEN_LIFETIME_MS,
    DEFAULT_EXPIRY_WARNING_MS,
    'Answers to tokens with less of their life left say so.',
  ),
  trusted: v.exactOptional(
    v.pipe(list(trustedIssuer), described('Other issuers, such as the company’s identity provider.')),
  ),
  keyFetch: v.optional(v.pipe(keyFetch, described('How keys are fetched that are URLs.')), {}),
})

import * as v from 'valibot'
import { issuedToken as recordOf } from '../auth/issued-token.ts'
import { mayUseModel, type Principal } from '../auth/principal.ts'
import type { TokenOwner } from '../auth/revocation-list.ts'
import { SCOPES } from '../auth/scopes.ts'
import { checkClaims, SHA256_BASE64URL } from '../auth/token-profile.ts'
import { isTokenRefusal, type TokenVerdict } from '../auth/verify-token.ts'
import type { IssueConfig } from '../config/config.ts'
import { list, oneOf, quantity, text } from '../config/fields.ts'
import { MAX_LISTED_TOKENS, MAX_TOKEN_CHARACTERS, MAX_TOKEN_LIFETIME_MS, MAX_TOKEN_MODELS } from '../config/limits.ts'
import { formatQuantity } from '../config/units.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { IssuedToken } from '../ports/token-registry.ts'
import { granted, refused, route } from './route.ts'
import { after, described, iso, limit, modelGlob, moment, NOTHING, name, next, page, tokenId } from './schemas.ts'
import type { AdminServices } from './services.ts'

const scopes = v.pipe(list(oneOf(SCOPES)), v.minLength(1, 'should name at least one scope'))
const models = v.pipe(list(modelGlob), v.maxLength(MAX_TOKEN_MODELS, `should have at most ${MAX_TOKEN_MODELS} entries`))
const issuedToken = v.strictObject({
  tokenId,
  subject: v.string(),
  team: name,
  app: name,
  env: name,
  scopes: v.array(v.string()),
  models: v.array(v.string()),
  issuedAt: moment,
  expiresAt: moment,
  keyId: v.pipe(v.string(), described('The `kid` that it is signed with.')),
  certThumbprint: v.exactOptional(
    v.pipe(v.string(), described('SHA-256 thumbprint (base64url) of the client certificate that it is bound to.')),
  ),
})

export const LIST_TOKENS = route({
  method: 'GET',
  path: '/admin/tokens',
  scopes: ['tokens:admin'],
  action: 'tokens.list',
  summary: 'Issued tokens that have not expired, by expiry',
  params: NOTHING,
  query: v.strictObject({
    team: v.exactOptional(name),
    app: v.exactOptional(name),
    env: v.exactOptional(name),
    expiresWithin: v.exactOptional(
      v.pipe(
        quantity('duration', 1000, MAX_TOKEN_LIFETIME_MS),
        described('Only those that expire within this time: 7d.'),
      ),
    ),
    limit,
    after,
  }),
  body: undefined,
  answer: v.strictObject({ tokens: v.array(issuedToken), next }),
  status: 200,
  changes: false,
  async run({ query: { expiresWithin, limit: most, after: last, ...filter } }, { registry, clock }) {
    const until = expiresWithin === undefined ? {} : { expiresBeforeMs: clock.now() + expiresWithin }
    const all = await registry.list({ ...filter, ...until }, MAX_LISTED_TOKENS)
    const sorted = [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    const { entries, ...rest } = page(sorted, { limit: most, ...(last !== undefined && { after: last }) }, keyOf)
    return granted({ tokens: entries.map(shown), ...rest })
  },
})

export const SHOW_TOKEN = route({
  method: 'GET',
  path: '/admin/tokens/:tokenId',
  scopes: ['tokens:admin'],
  action: 'tokens.show',
  summary: 'One issued token',
  params: v.strictObject({ tokenId }),
  query: NOTHING,
  body: undefined,
  answer: issuedToken,
  status: 200,
  changes: false,
  target: ({ params }) => params.tokenId,
  async run({ params }, { registry }) {
    const token = await registry.find(params.tokenId)
    return token ? granted(shown(token)) : refused({ code: 'not_found', message: 'No such token is known.' })
  },
})

export const ISSUE_TOKEN = route({
  method: 'POST',
  path: '/admin/tokens',
  scopes: ['tokens:admin'],
  action: 'tokens.issue',
  summary: 'Issue a token; it is in this answer and nowhere else',
  params: NOTHING,
  query: NOTHING,
  body: v.strictObject({
    team: name,
    app: name,
    env: name,
    scopes: v.optional(v.pipe(scopes, described('What it may do; at most what your own token may.')), ['inference']),
    models: v.exactOptional(
      v.pipe(models, described('Model ids, `*` for any characters; absent: as your own token has them.')),
    ),
    ttl: v.exactOptional(
      v.pipe(
        quantity('duration', 1000, MAX_TOKEN_LIFETIME_MS),
        described('How long it lives: 12h. Absent: the longest life that is given here.'),
      ),
    ),
    certThumbprint: v.exactOptional(
      v.pipe(
        text(64),
        v.regex(SHA256_BASE64URL, 'should be a SHA-256 in base64url: 43 characters'),
        described(
          'The client certificate to bind it to (RFC 8705), by its SHA-256; needed with `tokens.requireBound`.',
        ),
      ),
    ),
    subject: v.exactOptional(v.pipe(text(255), described('Whom it stands for; absent: team/app/env.'))),
  }),
  answer: v.strictObject({
    token: v.pipe(v.string(), described('The token itself. It is kept nowhere.')),
    ...issuedToken.entries,
  }),
  status: 201,
  changes: true,
  target: ({ body: { team, app, env } }) => `${team}/${app}/${env}`,
  async run({ body, by }, services) {
    const { issuer: readIssuer, config, registry } = services
    const issue = config.admin?.issue
    if (!readIssuer || !issue) {
      return refused({ code: 'not_offered', message: 'This instance issues no tokens: admin.issue is not configured.' })
    }
    const granting = { scopes: body.scopes, models: body.models ?? by.models, ttlMs: body.ttl ?? issue.maxTtlMs }
    const refusal = exceeds(granting, by, issue)
    if (refusal) return refused(refusal)
    const { team, app, env, subject = `${team}/${app}/${env}`, certThumbprint } = body
    if (certThumbprint === undefined && config.tokens.requireBound) {
      const message = 'The field "certThumbprint" is required: only tokens that are bound to a certificate count here.'
      return refused({ code: 'missing_field', param: 'certThumbprint', message })
    }
    const { issuer: iss, audience: aud } = config.tokens
    const who = { iss, aud, sub: subject, jti: crypto.randomUUID(), team, app, env }
    const what = {
      scope: granting.scopes.join(' '),
      models: granting.models,
      ...(certThumbprint !== undefined && { cnf: { 'x5t#S256': certThumbprint } }),
    }
    const nowMs = await usableFrom({ team, app, tokenId: who.jti }, services)
    const now = Math.floor(nowMs / 1000)
    const claims = { ...who, ...what, iat: now, nbf: now, exp: now + Math.floor(granting.ttlMs / 1000) }
    const principal: TokenVerdict = checkClaims(claims, config.tokens, nowMs)
    if (isTokenRefusal(principal)) {
      const param = 'claim' in principal && principal.claim === 'sub' ? 'subject' : undefined
      const reason = `the gateway would refuse it: ${principal.reason}`
      return refused({ code: 'invalid_value', reason, ...(param && { param }) })
    }
    const read = await readIssuer()
    if (!read.ok) {
      const message = 'The signing key of this gateway cannot be used at the moment. Try again shortly.'
      return refused({ code: 'keys_unavailable', message, reason: read.reason, headers: { 'retry-after': '1' } })
    }
    const { issuer } = read
    const signed = await issuer.sign(claims)
    if (signed.length > MAX_TOKEN_CHARACTERS) {
      const message = 'The token would be too long: name fewer models.'
      return refused({ code: 'invalid_value', param: 'models', message })
    }
    const token = recordOf(principal, issuer.keyId)
    await registry.record(token)
    return granted({ token: signed, ...shown(token) }, token.tokenId)
  },
})

/** Tokens say in whole seconds when they were issued: after "everything issued before now" a new one waits for the next. */
async function usableFrom(
  owner: Omit<TokenOwner, 'issuedAtMs'>,
  { revocations, clock }: AdminServices,
): Promise<number> {
  const now = clock.now()
  if (!revocations.isRevoked({ ...owner, issuedAtMs: Math.floor(now / 1000) * 1000 })) return now
  await new Promise(resolve => setTimeout(resolve, 1000 - (now % 1000)))
  return clock.now()
}

interface Grant {
  readonly scopes: readonly string[]
  readonly models: readonly string[]
  readonly ttlMs: number
}

/** Nobody passes on more than they have, and no instance gives more than its configuration says. */
function exceeds(
  { scopes: wanted, models: globs, ttlMs }: Grant,
  by: Principal,
  issue: IssueConfig,
): Refusal | undefined {
  const unissued = wanted.find(scope => !issue.scopes.some(one => one === scope))
  if (unissued !== undefined) {
    return { code: 'grant_forbidden', param: 'scopes', message: `Tokens with "${unissued}" are not issued here.` }
  }
  const beyond = wanted.find(scope => !by.scopes.has(scope))
  if (beyond !== undefined) {
    return { code: 'grant_forbidden', param: 'scopes', message: `Your own token does not have "${beyond}".` }
  }
  // A glob that another one matches as a text is within it: what stands for its stars, the other's stars take as well.
  if (!globs.every(glob => mayUseModel(by, glob))) {
    return { code: 'grant_forbidden', param: 'models', message: 'Your own token may not use all of these models.' }
  }
  if (ttlMs > issue.maxTtlMs) {
    const longest = formatQuantity('duration', issue.maxTtlMs)
    return { code: 'grant_forbidden', param: 'ttl', message: `Tokens are issued here for ${longest} at most.` }
  }
  return undefined
}

/** In the order of expiry. */
function keyOf({ expiresAtMs, tokenId: id }: IssuedToken): string {
  return `${String(expiresAtMs).padStart(15, '0')}:${id}`
}

function shown({ issuedAtMs, expiresAtMs, scopes: all, models: globs, ...rest }: IssuedToken) {
  return { ...rest, scopes: [...all], models: [...globs], issuedAt: iso(issuedAtMs), expiresAt: iso(expiresAtMs) }
}

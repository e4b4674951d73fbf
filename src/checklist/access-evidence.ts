import { MAX_TOKEN_LIFETIME_MS } from '../config/limits.ts'
import { formatQuantity } from '../config/units.ts'
import type { Evaluate } from './evaluate.ts'

/** Rows 9 to 13. */
export const accessEvidence: readonly Evaluate[] = [
  ({ config, keys }) => {
    const { jwks, trusted, algorithms } = config.tokens
    if (!keys.ok) return { met: false, evidence: `tokens.jwks: ${jwks} ${keys.reason}: no token can be checked` }
    const others = trusted.length > 0 ? `, and of ${trusted.map(({ issuer }) => issuer).join(', ')}` : ''
    const known = keys.value > 0 ? `${keys.value} public keys` : 'keys from a URL'
    return { met: true, evidence: `Every request needs a signed token (${algorithms.join(', ')}; ${known})${others}` }
  },
  ({ config, tokens }) => {
    const mapped = config.tokens.trusted.map(({ issuer, claims }) => `${issuer} (team from ${claims.team ?? 'team'})`)
    const others = mapped.length > 0 ? `; of other issuers by mapped claims: ${mapped.join(', ')}` : ''
    const live = tokens.ok ? `; ${tokens.value.live} registered tokens live` : ''
    return { met: true, evidence: `Tokens without team, app and env are refused${others}${live}` }
  },
  ({ config, tokens }) => {
    const longest = Math.max(config.tokens.maxLifetimeMs, ...config.tokens.trusted.map(issuer => issuer.maxLifetimeMs))
    const seen =
      tokens.ok && tokens.value.live > 0
        ? `; the longest-lived of ${tokens.value.live} registered: ${days(tokens.value.longestMs)}`
        : ''
    return {
      met: longest <= MAX_TOKEN_LIFETIME_MS,
      evidence: `Tokens that live for more than ${formatQuantity('duration', longest)} are refused${seen}`,
    }
  },
  ({ config }) => {
    const perToken = config.quotas.filter(
      ({ per, requests, tokens }) => per.includes('token') && (requests ?? tokens) !== undefined,
    )
    const forAll = perToken.filter(({ match, except = [] }) => match === undefined && except.length === 0)
    const names = (quotas: typeof perToken) => quotas.map(({ name }) => name).join(', ')
    if (forAll.length > 0) return { met: true, evidence: `Limits per token: ${names(forAll)}` }
    if (perToken.length > 0)
      return { met: false, evidence: `Limits per token for some callers alone: ${names(perToken)}` }
    return { met: false, evidence: 'No limit of requests or tokens counts per token (quotas[].per)' }
  },
  ({ config, tokens }) => {
    const both = config.admin?.issue?.scopes.includes('models:admin') ? '; the admin API may issue models:admin' : ''
    const apart = 'inference and models:admin are scopes of their own, and the admin API has its own listener or none'
    if (!tokens.ok) return { met: true, evidence: `${apart}${both}; registered tokens not looked at: ${tokens.reason}` }
    const { mixed, live } = tokens.value
    if (mixed.length > 0) {
      return {
        met: false,
        evidence: `Tokens that both query and manage models: ${mixed.slice(0, 5).join(', ')}${mixed.length > 5 ? ', …' : ''}`,
      }
    }
    return { met: true, evidence: `${apart}${both}; none of ${live} registered tokens has both` }
  },
]

function days(ms: number): string {
  return `${Math.ceil(ms / 86_400_000)} days`
}

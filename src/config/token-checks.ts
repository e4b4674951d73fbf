import type * as v from 'valibot'
import { parseClaimSource } from '../auth/claim-source.ts'
import { isClaimName, parseModels } from '../auth/token-profile.ts'
import type { MappedClaim } from './config.ts'
import { at, type Fault } from './fault.ts'
import { isLoopback } from './loopback.ts'
import { isKeyUrl, type TOKENS } from './tokens-schema.ts'

type Tokens = v.InferOutput<typeof TOKENS>
type Trusted = NonNullable<Tokens['trusted']>[number]

/** What of the `tokens` part the schema cannot see. */
export function tokenFaults(tokens: Tokens): Fault[] {
  const { issuer, jwks, keyFetch, trusted = [] } = tokens
  const { insecure } = keyFetch
  return [
    ...keyUrlFaults(jwks, 'tokens.jwks', insecure),
    ...(keyFetch.maxStale < keyFetch.every
      ? [{ path: 'tokens.keyFetch.maxStale', reason: 'shorter than tokens.keyFetch.every' }]
      : []),
    ...trusted.flatMap((other, index) => {
      const path = at('tokens.trusted', index)
      const isTaken = trusted.findIndex(({ issuer: name }) => name === other.issuer) < index
      return [
        ...(other.issuer === issuer
          ? [{ path: at(path, 'issuer'), reason: 'is tokens.issuer: the gateway’s own tokens are taken already' }]
          : isTaken
            ? [{ path: at(path, 'issuer'), reason: 'this issuer is there already' }]
            : []),
        ...keyUrlFaults(other.jwks, at(path, 'jwks'), insecure),
        ...claimFaults(other, at(path, 'claims')),
      ]
    }),
  ]
}

function keyUrlFaults(jwks: string, path: string, insecure: boolean): Fault[] {
  if (!isKeyUrl(jwks)) return []
  const url = URL.parse(jwks)
  if (url === null || !['https:', 'http:'].includes(url.protocol)) {
    return [{ path, reason: 'should be a file, or a URL that begins with https://' }]
  }
  if (url.username !== '' || url.password !== '') return [{ path, reason: 'should not hold a user name or password' }]
  if (url.hash !== '') return [{ path, reason: 'should not have a fragment' }]
  if (url.protocol === 'https:') return []
  if (!isLoopback(url.hostname)) {
    return [{ path, reason: 'should begin with https://: over http: anybody on the way could put in a key of theirs' }]
  }
  return insecure ? [] : [{ path, reason: 'is http:; allow it on this machine with tokens.keyFetch.insecure: true' }]
}

function claimFaults({ claims, scopes }: Trusted, path: string): Fault[] {
  return Object.entries(claims).flatMap(([claim, text]) => {
    const source = parseClaimSource(text)
    const reason =
      source === undefined
        ? 'should be a path such as groups.0, a JSON Pointer such as /groups/0, or =text'
        : source.kind === 'fixed'
          ? fixedFault(claim as MappedClaim, source.value, scopes)
          : undefined
    return reason === undefined ? [] : [{ path: at(path, claim), reason }]
  })
}

/** What is wrong with one value for all tokens. */
function fixedFault(claim: MappedClaim, value: string, scopes: readonly string[]): string | undefined {
  switch (claim) {
    case 'tokenId':
    case 'subject':
      return 'should be a path: every token has its own'
    case 'scope':
      return value.split(' ').every(scope => scopes.includes(scope)) ? undefined : 'names a scope that is not in scopes'
    case 'models':
      return parseModels(value.split(',').map(glob => glob.trim()))
        ? undefined
        : 'should be =globs, separated by commas'
    default:
      return isClaimName(value)
        ? undefined
        : 'should be = and at most 64 letters, digits, dots, underscores and hyphens'
  }
}

import type { Claims } from './token-profile.ts'

/** Where a value comes from: a place in the claims, or the same text for every token. */
export type ClaimSource =
  | { readonly kind: 'path'; readonly path: readonly string[] }
  | { readonly kind: 'fixed'; readonly value: string }

/**
 * Reads how a value is written in the configuration: `=text` is that text; `groups.0` is a path of member names and list
 * positions; a JSON Pointer (RFC 6901) such as `/https:~1~1example.com~1team` is a path whose names have dots.
 * Undefined where it is none of these.
 */
export function parseClaimSource(text: string): ClaimSource | undefined {
  if (text.startsWith('=')) return text === '=' ? undefined : { kind: 'fixed', value: text.slice(1) }
  if (!text.startsWith('/')) {
    const path = text.split('.')
    return path.includes('') ? undefined : { kind: 'path', path }
  }
  if (/~(?![01])/.test(text)) return undefined
  const names = text.slice(1).split('/')
  return { kind: 'path', path: names.map(name => name.replaceAll('~1', '/').replaceAll('~0', '~')) }
}

const isEnumerable = Object.prototype.propertyIsEnumerable

/** The value of a source for one token; undefined where the claims have nothing there. */
export function readClaim(claims: Claims, source: ClaimSource): unknown {
  if (source.kind === 'fixed') return source.value
  let value: unknown = claims
  for (const name of source.path) {
    // Own and enumerable: what JSON brought, and not the length of a list.
    const isMember = typeof value === 'object' && value !== null && isEnumerable.call(value, name)
    if (!isMember) return undefined
    value = (value as Claims)[name]
  }
  return value
}

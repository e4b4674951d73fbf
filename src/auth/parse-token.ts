import { base64url } from 'jose'
import { hasDuplicateNames } from '../json/duplicate-names.ts'
import type { Claims } from './token-profile.ts'

/** What a token says before anything of it is believed. */
export interface ParsedToken {
  readonly header: Claims
  readonly claims: Claims
}

/** Three parts of base64url: looked at before anything is decoded. */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** Last characters whose left-over bits are zero, by the length of the last group (RFC 4648 §3.5). */
const LAST_OF_TWO = 'AQgw'
const LAST_OF_THREE = 'AEIMQUYcgkosw048'
/** A byte order mark is no JSON either. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whether it has the form of a signed token: no JWE, which has five parts, and no signature left away. */
export function isCompactJws(token: string): boolean {
  return COMPACT_JWS.test(token)
}

/**
 * Reads header and claims of a text in compact form. Undefined where readers could differ on what it says: base64url with
 * other than its one spelling (which would also give one token several digests), text that is not UTF-8, repeated member
 * names (RFC 7519 §4), anything but JSON objects.
 */
export function parseToken(token: string): ParsedToken | undefined {
  const [head = '', payload = '', signature = ''] = token.split('.')
  if (!isCanonical(signature)) return undefined
  const header = readObject(head)
  const claims = header && readObject(payload)
  return header && claims && { header, claims }
}

function readObject(part: string): Claims | undefined {
  if (!isCanonical(part)) return undefined
  try {
    const text = decoder.decode(base64url.decode(part))
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && !hasDuplicateNames(text) ? (value as Claims) : undefined
  } catch {
    return undefined
  }
}

function isCanonical(part: string): boolean {
  const last = part.at(-1) ?? ''
  const rest = part.length % 4
  return rest === 0 || (rest === 2 && LAST_OF_TWO.includes(last)) || (rest === 3 && LAST_OF_THREE.includes(last))
}

import type { ErrorCode } from '../errors/catalogue.ts'

/** A path and a query of ASCII, without controls, spaces, backslashes and fragments. */
const ORIGIN_FORM = /^\/[\w\-.~!$&'()*+,;=:@/%]*(?:\?[\w\-.~!$&'()*+,;=:@/%?[\]{}|^`"<>]*)?$/
/** `//`, and segments of dots, which proxies and servers resolve in different ways. */
const ODD_SEGMENT = /\/(?=\/)|\/\.{1,2}(?:\/|$)/
/**
 * Encoded controls, encoded letters, digits, `-`, `.`, `_` and `~`, and half an encoding: second spellings of a path, which
 * no client needs and which a list of paths in front of the gateway may not know.
 */
const ODD_ENCODING = /%(?:[01].|7f|2[de]|3\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae]|(?![\da-f]{2}))/i

/**
 * What is wrong with a request's target, as it came: only the origin form (`/path?query`) in its one plain spelling is
 * served. Undefined for nothing. Linear in its length.
 */
export function targetFault(target: string, maxCharacters: number): ErrorCode | undefined {
  if (target.length > maxCharacters) return 'url_too_long'
  if (!ORIGIN_FORM.test(target)) return 'malformed_request'
  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  return ODD_SEGMENT.test(path) || ODD_ENCODING.test(path) ? 'not_found' : undefined
}

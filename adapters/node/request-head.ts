import type { IncomingMessage } from 'node:http'
import type { ErrorCode } from '../../src/errors/catalogue.ts'
import { targetFault } from '../../src/http/request-target.ts'
import type { ServerLimits } from '../../src/http/server-limits.ts'

/** Fields of which two in one request would be read as one thing here and as another elsewhere. */
const SINGLE = new Set([
  'host',
  'authorization',
  'x-api-key',
  'content-type',
  'content-encoding',
  'content-length',
  'transfer-encoding',
  'x-request-id',
  'expect',
])
const LENGTHS = new Set([...SINGLE].map(name => name.length))

/** What node:http lets pass and the gateway does not serve; undefined for nothing. */
export function headFault(incoming: IncomingMessage, limits: ServerLimits): ErrorCode | undefined {
  const { httpVersion, rawHeaders, url = '' } = incoming
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'malformed_request'
  if (rawHeaders.length > 2 * limits.headers) return 'too_many_headers'
  const encoding = incoming.headers['transfer-encoding']
  // Anything before "chunked" would have to be undone, and in HTTP/1.0 there is none (RFC 9112, 6.1).
  if (encoding !== undefined && (encoding.toLowerCase() !== 'chunked' || httpVersion === '1.0')) {
    return 'malformed_request'
  }
  return isDoubled(rawHeaders) ? 'malformed_request' : targetFault(url, limits.urlCharacters)
}

function isDoubled(rawHeaders: readonly string[]): boolean {
  let seen: Set<string> | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] as string
    if (!LENGTHS.has(raw.length)) continue
    const name = raw.toLowerCase()
    if (!SINGLE.has(name)) continue
    seen ??= new Set()
    if (seen.size === seen.add(name).size) return true
  }
  return false
}

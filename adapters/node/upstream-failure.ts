import type { UpstreamFailure } from '../../src/ports/upstream.ts'
import { tlsFailure } from './tls/tls-failure.ts'

/** Codes of answers that began or were awaited and then broke off. */
const BROKEN_OFF = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** What undici's parser says of a body cut short on a connection that was to close; it gives no code. */
const CUT_SHORT = /Invalid EOF state/

/** undici's words for an answer out of turn: an informational 100 never asked for, or a switch of protocols. */
const OUT_OF_TURN = new Set(['bad response', 'bad upgrade'])

/**
 * Puts an error of undici or of node:net into the words of the port.
 * @param sent whether the request had been given to a connection
 */
export function failureOf(error: Error, origin: string, sent: boolean): UpstreamFailure {
  const code = codeOf(error)
  if (code === 'UND_ERR_INVALID_ARG') return { kind: 'protocol', message: `${origin}: ${error.message}` }
  const untrusted = tlsFailure(code, origin, sent)
  if (untrusted) return untrusted
  if (!sent) return { kind: 'connect', message: `cannot connect to ${origin}: ${reason(error, code)}` }
  if ((BROKEN_OFF.has(code) && !OUT_OF_TURN.has(error.message)) || CUT_SHORT.test(error.message)) {
    return brokenOff(origin, code)
  }
  return notHttp(origin, reason(error, code))
}

/** An answer that was awaited or had begun, and will not be completed. */
export function brokenOff(origin: string, code: string): UpstreamFailure {
  return { kind: 'reset', message: `${origin} closed the connection before its answer was complete (${code})` }
}

/** @param fault must not quote what was sent */
export function notHttp(origin: string, fault: string): UpstreamFailure {
  return { kind: 'protocol', message: `${origin} sent something that is not HTTP/1.1: ${fault}` }
}

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}

/** Node reports a name with several addresses as one error without a message of its own. */
function reason(error: Error, code: string): string {
  return error.message && error.message !== code ? `${error.message} (${code})` : code
}

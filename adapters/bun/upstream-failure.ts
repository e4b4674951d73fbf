import type { UpstreamFailure } from '../../src/ports/upstream.ts'
import { tlsFailure } from '../node/tls/tls-failure.ts'

/**
 * Puts an error of Bun's fetch into the words of the port. Bun's own messages carry advice for developers, so only
 * its codes are passed on.
 * @param answered whether the head of the answer had come
 */
export function failureOf(error: unknown, origin: string, answered: boolean): UpstreamFailure {
  const code = codeOf(error)
  const untrusted = answered ? undefined : tlsFailure(code, origin, false)
  if (untrusted) return untrusted
  if (code === 'ECONNRESET' || code === 'ConnectionClosed') {
    return { kind: 'reset', message: `${origin} closed the connection before its answer was complete (${code})` }
  }
  if (/HTTP|Malformed|Invalid/.test(code)) {
    return { kind: 'protocol', message: `${origin} sent something that is not HTTP/1.1: ${code}` }
  }
  if (answered) return { kind: 'reset', message: `${origin} broke off its answer (${code})` }
  return { kind: 'connect', message: `cannot connect to ${origin}: ${code}` }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}

import type { UpstreamFailure } from '../../src/ports/upstream.ts'

/**
 * What is reported when the gateway's own receiver throws: a bug, held to its one request. The error's message may
 * quote a body, so only its kind and place are named.
 */
export function receiverFault(error: unknown): UpstreamFailure {
  const name = error instanceof Error ? error.name : typeof error
  const place = error instanceof Error ? /^\s+at .*$/m.exec(error.stack ?? '')?.[0].trim() : undefined
  return { kind: 'protocol', message: `a fault of the gateway itself: ${name}${place ? ` ${place}` : ''}` }
}

import type { Answer } from '../../src/ports/transport.ts'

/**
 * The answer to a HEAD request. Hono asks the GET handler and builds a new Response from the head of what it gave, so
 * this must be an ordinary one: what is already sent would be sent again.
 */
export function headOnly({ status, headers, body }: Answer): Response {
  if (!(body instanceof Uint8Array)) body.cancel()
  return new Response(null, { status, headers })
}

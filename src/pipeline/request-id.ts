import { MAX_REQUEST_ID_CHARACTERS } from '../config/limits.ts'
import type { Connection } from '../ports/transport.ts'

const HEADER = 'x-request-id'
const HARMLESS = /^[\w\-=]+$/

/**
 * The id that the caller gave the request, where it can stand in a header and a log as it is; otherwise a new one, made of `unique`.
 * Hono's middleware for this has the same rule. It is not used, because with it every request passes a chain of promises and
 * has its answer's headers built twice.
 */
export function requestIdOf(connection: Pick<Connection, 'header'>, unique: string = crypto.randomUUID()): string {
  const given = connection.header(HEADER)
  if (given !== undefined && given.length <= MAX_REQUEST_ID_CHARACTERS && HARMLESS.test(given)) return given
  return `req_${unique}`
}

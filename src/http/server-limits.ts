import { DEFAULT_MAX_HEADERS, DEFAULT_MAX_URL_CHARACTERS } from '../config/limits.ts'

/** Bounds on what a listener takes before anything is known of the caller. */
export interface ServerLimits {
  /** Path and query. */
  readonly urlCharacters: number
  /** Fields of a request's head. */
  readonly headers: number
  /** The rest is absent where nobody has set it: then the runtime's own counts, and not every runtime can have another. */
  readonly headerBytes?: number
  readonly headTimeoutMs?: number
  readonly keepAliveMs?: number
  readonly connections?: number
  readonly requestsPerConnection?: number
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  urlCharacters: DEFAULT_MAX_URL_CHARACTERS,
  headers: DEFAULT_MAX_HEADERS,
}

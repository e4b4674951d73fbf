import type { ErrorCode } from '../../src/errors/catalogue.ts'
import { targetFault } from '../../src/http/request-target.ts'
import type { ServerLimits } from '../../src/http/server-limits.ts'
import { StartError } from '../node/start-error.ts'

/** Bun's addition: how many names there are, without a list of them. */
interface BunHeaders extends Headers {
  readonly count: number
}

/** Where the path of an absolute URL can begin at the earliest. */
const BEHIND_SCHEME = 'http://'.length

/**
 * What Bun.serve lets pass and the gateway does not serve; undefined for nothing. Bun has resolved dots in the path
 * and joined fields of one name by then.
 */
export function headFault(request: Request, limits: ServerLimits): ErrorCode | undefined {
  if ((request.headers as BunHeaders).count > limits.headers) return 'too_many_headers'
  const { url } = request
  return targetFault(url.slice(url.indexOf('/', BEHIND_SCHEME)), limits.urlCharacters)
}

const UNENFORCED = {
  headerBytes: 'headerBytes',
  headTimeoutMs: 'headTimeout',
  keepAliveMs: 'keepAlive',
  connections: 'connections',
  requestsPerConnection: 'requestsPerConnection',
} as const

/**
 * Bun.serve has limits of its own (16 KiB and 12 s for a head) and no setting for them.
 * @throws StartError naming the one that was set
 */
export function refuseUnenforced(limits: ServerLimits): void {
  for (const [name, key] of Object.entries(UNENFORCED)) {
    if (limits[name as keyof typeof UNENFORCED] === undefined) continue
    throw new StartError(`limits.${key}: Bun cannot be told; leave it out, or run on Node`)
  }
}

import type { Env } from 'hono'
import { plainRefusal } from '../../src/http/plain-answer.ts'
import { DEFAULT_SERVER_LIMITS } from '../../src/http/server-limits.ts'
import { requestIdOf } from '../../src/pipeline/request-id.ts'
import { reachable } from '../node/reachable.ts'
import type { RunningServer, ServeOptions } from '../node/server.ts'
import { listenError, StartError } from '../node/start-error.ts'
import { headFault, refuseUnenforced } from './request-head.ts'
import { type BunServeOptions, type BunServer, bunServe } from './runtime.ts'
import { bunConnection, KEEP_ALIVE_S } from './transport.ts'

export { StartError }

/** Bun refuses larger bodies itself, without the gateway's answer: far above any limit that the gateway would set. */
const MAX_BODY_BYTES = 1024 * 1024 * 1024
const SWEEP_MS = 25

/**
 * Serves an app on Bun.serve, plain HTTP; the app's `env` is Bun's server, as `bunTransport` expects. TLS is `tls-server.ts`.
 * @throws StartError when the address cannot be used
 */
export async function serveBun<E extends Env>(options: ServeOptions<E>): Promise<RunningServer> {
  const { app, listen, limits = DEFAULT_SERVER_LIMITS, telemetry } = options
  if (options.tls) throw new TypeError('Bun.serve is used for plain HTTP only')
  refuseUnenforced(limits)
  const server = start({
    hostname: listen.host,
    port: listen.port,
    reusePort: options.sharesPorts === true,
    idleTimeout: KEEP_ALIVE_S,
    maxRequestBodySize: MAX_BODY_BYTES,
    fetch: (request, self) => {
      const fault = headFault(request, limits)
      if (fault === undefined) return app.fetch(request, self as E['Bindings'] & BunServer)
      telemetry.count('sallyport_refusals_total', { code: fault })
      const connection = bunConnection(request, self)
      return connection.respond(plainRefusal(requestIdOf(connection), { code: fault }))
    },
    error: error => {
      telemetry.log('error', 'request_failed', { name: error.name })
      return new Response(null, { status: 500 })
    },
  })
  let closing: Promise<void> | undefined
  return {
    url: `http://${reachable(listen.host)}:${server.port}`,
    port: server.port,
    close: drainMs => (closing ??= drain(server, drainMs)),
  }
}

function start(options: BunServeOptions): BunServer {
  try {
    return bunServe(options)
  } catch (error) {
    throw listenError(options.hostname, options.port, error)
  }
}

async function drain(server: BunServer, drainMs: number): Promise<void> {
  const until = performance.now() + drainMs
  void server.stop(false)
  server.closeIdleConnections?.()
  while (server.pendingRequests > 0 && performance.now() < until) {
    await new Promise(resolve => setTimeout(resolve, SWEEP_MS))
  }
  await server.stop(true)
}

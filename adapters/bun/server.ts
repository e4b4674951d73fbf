import type { Env } from 'hono'
import { reachable } from '../node/reachable.ts'
import type { RunningServer, ServeOptions } from '../node/server.ts'
import { listenError, StartError } from '../node/start-error.ts'
import { type BunServeOptions, type BunServer, bunServe } from './runtime.ts'
import { KEEP_ALIVE_S } from './transport.ts'

export { StartError }

/** Bun refuses larger bodies itself, without the gateway's answer: far above any limit that the gateway would set. */
const MAX_BODY_BYTES = 1024 * 1024 * 1024
const SWEEP_MS = 25

/**
 * Serves an app on Bun.serve, plain HTTP; the app's `env` is Bun's server, as `bunTransport` expects. TLS is `tls-server.ts`.
 * @throws StartError when the address cannot be used
 */
export async function serveBun<E extends Env>(options: ServeOptions<E>): Promise<RunningServer> {
  const { app, listen, telemetry } = options
  if (options.tls) throw new TypeError('Bun.serve is used for plain HTTP only')
  const server = start({
    hostname: listen.host,
    port: listen.port,
    idleTimeout: KEEP_ALIVE_S,
    maxRequestBodySize: MAX_BODY_BYTES,
    fetch: (request, self) => app.fetch(request, self as E['Bindings'] & BunServer),
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

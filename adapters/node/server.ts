import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { getRequestListener } from '@hono/node-server'
import type { Env, Hono } from 'hono'
import { MAX_RECEIVE_TIMEOUT_MS } from '../../src/config/limits.ts'
import { plainRefusal } from '../../src/http/plain-answer.ts'
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from '../../src/http/server-limits.ts'
import { requestIdOf } from '../../src/pipeline/request-id.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { reachable } from './reachable.ts'
import { headFault } from './request-head.ts'
import { listenError } from './start-error.ts'
import type { TlsFiles } from './tls/tls-files.ts'
import { TlsListener } from './tls/tls-listener.ts'
import { nodeConnection } from './transport.ts'

export { StartError } from './start-error.ts'
export type { TlsFiles } from './tls/tls-files.ts'

export interface ServeOptions<E extends Env = Env> {
  readonly app: Pick<Hono<E>, 'fetch'>
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number }
  readonly tls?: TlsFiles | undefined
  readonly limits?: ServerLimits
  readonly telemetry: Telemetry
  /** Other processes listen on the same port. On Node, node:cluster sees to that. */
  readonly sharesPorts?: boolean | undefined
}

export interface RunningServer {
  /** Where to reach it; a wildcard address is shown as loopback. */
  readonly url: string
  readonly port: number
  /**
   * Accepts nothing more, lets answers in progress finish for `drainMs`, then closes what is left. Safe to repeat:
   * the first call's time counts.
   */
  close(drainMs: number): Promise<void>
}

/** For the request line and the headers. */
const HEADER_BYTES = 16 * 1024
const HEAD_TIMEOUT_MS = 15_000
/** How often node:http looks for heads and requests that are late. */
const LATE_CHECK_MS = 1000
/** For a whole request: more than any head and body may take. The readers of bodies have their own time. */
const REQUEST_TIMEOUT_MS = 2 * MAX_RECEIVE_TIMEOUT_MS
/** Longer than the 60 s of the usual load balancers, which otherwise send into a connection that is just closing. */
const KEEP_ALIVE_MS = 65_000
/** About 200 MB of sockets and buffers; more streams than one process can feed. */
const CONNECTIONS = 10_000
/** Bounds what one connection can be used for, and spreads callers over instances again. */
const REQUESTS_PER_CONNECTION = 10_000
/** How often a draining server looks for connections that have become idle. */
const SWEEP_MS = 25

function serverOptions(limits: ServerLimits) {
  return {
    maxHeaderSize: limits.headerBytes ?? HEADER_BYTES,
    headersTimeout: limits.headTimeoutMs ?? HEAD_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.keepAliveMs ?? KEEP_ALIVE_MS,
    connectionsCheckingInterval: LATE_CHECK_MS,
    noDelay: true,
  } satisfies ServerOptions
}

type CreateTlsServer = (
  options: ReturnType<typeof serverOptions> & TlsOptions,
  listener: RequestListener,
) => Server & TlsServer
type TlsServer = Parameters<TlsListener['attach']>[0]

/**
 * Serves an app on node:http or node:https.
 * @throws StartError when a certificate file or the address cannot be used
 */
export function serveNode<E extends Env>(options: ServeOptions<E>): Promise<RunningServer> {
  return serveOn(options, createTlsServer)
}

/** The same, on a TLS server of the caller's choice. */
export async function serveOn<E extends Env>(
  { app, listen, tls: files, limits = DEFAULT_SERVER_LIMITS, telemetry, sharesPorts }: ServeOptions<E>,
  createTls: CreateTlsServer,
): Promise<RunningServer> {
  const answer = getRequestListener((request, env) => app.fetch(request, env), {
    // Bun.serve, which may be the other listener of the process, takes no Response but Bun's own.
    overrideGlobalObjects: process.versions.bun === undefined,
  })
  const tls = files && (await TlsListener.open(files, telemetry))
  const listener: RequestListener = (incoming, outgoing) => {
    const fault = headFault(incoming, limits)
    if (fault === undefined) return void answer(incoming, outgoing)
    telemetry.count('sallyport_refusals_total', { code: fault })
    const connection = nodeConnection(incoming, outgoing)
    // Where the framing is in doubt, nothing that follows on the connection is read.
    outgoing.setHeader('connection', 'close')
    connection.respond(plainRefusal(requestIdOf(connection), { code: fault }))
  }
  const admitted: RequestListener = (incoming, outgoing) => {
    if (tls?.admits(incoming.socket)) listener(incoming, outgoing)
    else incoming.socket.destroy()
  }
  const secure = tls && createTls({ ...tls.options, ...serverOptions(limits) }, admitted)
  const server = secure ?? createServer(serverOptions(limits), listener)
  server.maxConnections = limits.connections ?? CONNECTIONS
  server.maxRequestsPerSocket = limits.requestsPerConnection ?? REQUESTS_PER_CONNECTION
  // One more than is allowed: node:http leaves out the rest, and what it left out could not be counted.
  server.maxHeadersCount = limits.headers + 1
  server.on('drop', () => telemetry.count('sallyport_connections_refused_total'))

  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  await listening(server, listen, sharesPorts === true && process.versions.bun !== undefined)
  if (secure) tls.attach(secure)
  server.on('error', error => telemetry.log('error', 'server_error', { message: error.message }))
  const { port } = server.address() as AddressInfo

  let closing: Promise<void> | undefined
  return {
    url: `${tls ? 'https' : 'http'}://${reachable(listen.host)}:${port}`,
    port,
    close: drainMs => {
      tls?.close()
      return (closing ??= drain(server, sockets, drainMs))
    },
  }
}

function listening(server: Server, { host, port }: ServeOptions['listen'], reusePort: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(host, port, error))
    server.once('error', onError)
    server.listen({ host, port, ...(reusePort && { reusePort }) }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

/** The sockets are tracked here, because node:http does not know those that are still in a TLS handshake. */
function drain(server: Server, sockets: ReadonlySet<Socket>, drainMs: number): Promise<void> {
  return new Promise(resolve => {
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
    const force = setTimeout(() => {
      for (const socket of sockets) socket.destroy()
    }, drainMs)
    server.close(() => {
      clearInterval(sweep)
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
  })
}

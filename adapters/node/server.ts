import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { getRequestListener } from '@hono/node-server'
import type { Env, Hono } from 'hono'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { reachable } from './reachable.ts'
import { listenError } from './start-error.ts'
import type { TlsFiles } from './tls/tls-files.ts'
import { TlsListener } from './tls/tls-listener.ts'

export { StartError } from './start-error.ts'
export type { TlsFiles } from './tls/tls-files.ts'

export interface ServeOptions<E extends Env = Env> {
  readonly app: Hono<E>
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number }
  readonly tls?: TlsFiles | undefined
  readonly telemetry: Telemetry
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

const MAX_HEADER_BYTES = 16 * 1024
/** For the request line and the headers. */
const HEADERS_TIMEOUT_MS = 15_000
/** For a whole request. The readers of bodies have their own, shorter time; this catches a body that nobody reads. */
const REQUEST_TIMEOUT_MS = 120_000
/** Longer than the 60 s of the usual load balancers, which otherwise send into a connection that is just closing. */
const KEEP_ALIVE_MS = 65_000
/** How often a draining server looks for connections that have become idle. */
const SWEEP_MS = 25

const SERVER_OPTIONS: ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: 5_000,
  noDelay: true,
}

type CreateTlsServer = (options: ServerOptions & TlsOptions, listener: RequestListener) => Server & TlsServer
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
  { app, listen, tls: files, telemetry }: ServeOptions<E>,
  createTls: CreateTlsServer,
): Promise<RunningServer> {
  const answer = getRequestListener((request, env) => app.fetch(request, env))
  const tls = files && (await TlsListener.open(files, telemetry))
  const listener: RequestListener = (incoming, outgoing) => void answer(incoming, outgoing)
  const admitted: RequestListener = (incoming, outgoing) => {
    if (tls?.admits(incoming.socket)) listener(incoming, outgoing)
    else incoming.socket.destroy()
  }
  const secure = tls && createTls({ ...SERVER_OPTIONS, ...tls.options }, admitted)
  const server = secure ?? createServer(SERVER_OPTIONS, listener)

  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  await listening(server, listen.host, listen.port)
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

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(host, port, error))
    server.once('error', onError)
    server.listen({ host, port }, () => {
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

import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Env, Hono } from 'hono'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { reachable } from './reachable.ts'
import { listenError } from './start-error.ts'
import { readTlsFiles, type TlsFiles } from './tls-files.ts'

export { StartError } from './start-error.ts'
export type { TlsFiles } from './tls-files.ts'

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
const HANDSHAKE_TIMEOUT_MS = 10_000
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

/**
 * Serves an app on node:http or node:https.
 * @throws StartError when a certificate file or the address cannot be used
 */
export async function serveNode<E extends Env>(options: ServeOptions<E>): Promise<RunningServer> {
  const { app, listen, tls, telemetry } = options
  const answer = getRequestListener((request, env) => app.fetch(request, env))
  const listener: RequestListener = (incoming, outgoing) => void answer(incoming, outgoing)
  const server = tls
    ? createTlsServer({ ...SERVER_OPTIONS, ...(await tlsOptions(tls)) }, listener)
    : createServer(SERVER_OPTIONS, listener)
  server.on('tlsClientError', error => {
    const code = (error as { code?: string }).code
    telemetry.log('debug', 'tls_handshake_failed', { code })
  })

  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  await listening(server, listen.host, listen.port)
  server.on('error', error => telemetry.log('error', 'server_error', { message: error.message }))
  const { port } = server.address() as AddressInfo

  let closing: Promise<void> | undefined
  return {
    url: `${tls ? 'https' : 'http'}://${reachable(listen.host)}:${port}`,
    port,
    close: drainMs => (closing ??= drain(server, sockets, drainMs)),
  }
}

async function tlsOptions(files: TlsFiles): Promise<object> {
  const { cert, key, clientCa } = await readTlsFiles(files)
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
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

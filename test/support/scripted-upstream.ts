// A model server that does exactly what a test tells it, byte by byte: half frames, stalls, resets, lies.
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TlsOptions } from 'node:tls'
import { onCleanup } from './cleanup.ts'
import { sleep } from './wait.ts'

export interface RecordedRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** `performance.now()` when the request was complete. */
  readonly at: number
  /** Settles with `performance.now()` once the caller has closed its side of the connection, or the connection is gone. */
  readonly gone: Promise<number>
}

/** One request, and the raw connection to answer it on. Writes to a connection that is gone do nothing. */
export interface Script {
  readonly request: RecordedRequest
  /** The request's body, parsed. */
  json(): Record<string, unknown>
  /** Exactly these bytes; settles when they have been handed to the system, so a caller that does not read holds it up. */
  raw(bytes: string | Uint8Array): Promise<void>
  /** The head of a chunked answer, an event stream unless told otherwise. */
  head(status?: number, headers?: Record<string, string>): Promise<void>
  /** One HTTP chunk. */
  chunk(bytes: string | Uint8Array): Promise<void>
  /** One HTTP chunk that holds one `data:` event. */
  event(data: unknown): Promise<void>
  /** The last, empty chunk: the answer is complete, the connection stays. */
  finish(): Promise<void>
  /** A whole answer with a JSON body. */
  reply(status: number, value: unknown, headers?: Record<string, string>): Promise<void>
  /** Closes the connection in good order, whatever has been sent. */
  end(): void
  /** Closes the connection with a TCP reset. */
  reset(): void
  sleep(ms: number): Promise<void>
  /** Sends nothing more until the caller goes away. */
  stall(): Promise<void>
}

export interface ScriptedUpstream extends AsyncDisposable {
  /** Without `/v1`. */
  readonly url: string
  readonly port: number
  /** Every request so far, in the order they were complete. */
  readonly requests: readonly RecordedRequest[]
  /** Connections open now. */
  connections(): number
  stop(): Promise<void>
}

const headText = (status: number, headers: Record<string, string>) =>
  `HTTP/1.1 ${status} Scripted\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

function goneFrom(socket: Socket): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  for (const event of ['end', 'close'] as const) socket.once(event, () => resolve(performance.now()))
  return promise
}

function scriptFor(request: RecordedRequest, socket: Socket): Script {
  const raw = (bytes: string | Uint8Array) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (socket.writable) socket.write(bytes, () => resolve())
    else resolve()
    return promise
  }
  const chunk = (bytes: string | Uint8Array) => {
    const data = Buffer.from(bytes as string)
    return raw(Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]))
  }
  return {
    request,
    json: () => JSON.parse(request.body),
    raw,
    head: (status = 200, headers = { 'content-type': 'text/event-stream' }) =>
      raw(headText(status, { ...headers, 'transfer-encoding': 'chunked' })),
    chunk,
    event: data => chunk(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`),
    finish: () => raw('0\r\n\r\n'),
    reply: (status, value, headers = {}) => {
      const body = JSON.stringify(value)
      const length = String(Buffer.byteLength(body))
      return raw(headText(status, { 'content-type': 'application/json', ...headers, 'content-length': length }) + body)
    },
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    sleep: async ms => void (await sleep(ms)),
    stall: async () => void (await request.gone),
  }
}

/**
 * Starts the server. The handler gets every request, complete with its body, and its zero-based number; an error it throws
 * fails the test. Give `tls` for HTTPS, with or without client certificates.
 */
export async function scriptedUpstream(
  handler: (script: Script, index: number) => unknown,
  tls?: TlsOptions,
): Promise<ScriptedUpstream> {
  const requests: RecordedRequest[] = []
  const sockets = new Set<Socket>()

  // Node's parser reads the requests; answers go past its response object, straight to the socket.
  const onRequest = async (message: IncomingMessage) => {
    const { socket, method = '', url: path = '', headers } = message
    const gone = goneFrom(socket)
    const body = await text(message).catch(() => undefined)
    if (body === undefined) return // the caller went away while it was still sending
    const request: RecordedRequest = { method, path, headers, body, at: performance.now(), gone }
    const index = requests.push(request) - 1
    await handler(scriptFor(request, socket), index)
  }
  const listener = (message: IncomingMessage) => void onRequest(message)
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  server.requestTimeout = server.headersTimeout = server.keepAliveTimeout = 0
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket)
    // Each request on a kept connection waits for its end.
    socket.setMaxListeners(0)
    socket.on('error', () => undefined) // resets are what it is for
    socket.once('close', () => sockets.delete(socket))
  })

  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject).listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  const forget = onCleanup(close)
  const stop = async () => {
    const closed = Promise.withResolvers<void>()
    server.once('close', closed.resolve)
    if (!server.listening) return
    forget()
    close()
    await closed.promise
  }
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => sockets.size,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

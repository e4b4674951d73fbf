import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** How often the connections are looked at. */
const LATE_CHECK_MS = 1000

/** How a connection stands. */
interface Wait {
  /** Requests in progress: pipelined ones are told before the first is answered. */
  busy: number
  /** Until when the next head has to be there, on `performance.now()`. */
  untilMs: number
}

/**
 * Keeps the times of a server of node:http2, which Bun 1.4.5 does not: without this a connection could wait for the end of a
 * head for ever. The first head has its own time, from the handshake on; each of the others has that of an idle connection.
 */
export function closeLate(
  server: Server,
  { headersTimeout, keepAliveTimeout }: { readonly headersTimeout: number; readonly keepAliveTimeout: number },
): void {
  const waits = new Map<Socket, Wait>()
  server.on('secureConnection', (socket: Socket) => {
    waits.set(socket, { busy: 0, untilMs: performance.now() + headersTimeout })
    socket.once('close', () => waits.delete(socket))
  })
  server.on('request', ({ socket }, outgoing) => {
    const wait = waits.get(socket)
    if (!wait) return
    wait.busy += 1
    outgoing.once('close', () => {
      wait.busy -= 1
      wait.untilMs = performance.now() + keepAliveTimeout
    })
  })
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const [socket, { busy, untilMs }] of waits) if (busy === 0 && untilMs < now) socket.destroy()
  }, LATE_CHECK_MS).unref()
  server.once('close', () => clearInterval(sweep))
}

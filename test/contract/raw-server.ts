import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A TCP server whose bytes the test writes itself, so that it can misbehave. */
export interface RawServer {
  readonly origin: string
  /** Connections accepted so far. */
  readonly accepted: number
  close(): Promise<void>
}

/** Calls `onRequest` once per complete request (head and counted body) with its text and its socket. */
export async function rawServer(onRequest: (request: string, socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer(socket => {
    accepted += 1
    sockets.add(socket)
    let text = ''
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', data => {
      text += data.toString('latin1')
      for (;;) {
        const length = requestLength(text)
        if (length === undefined) return
        const request = text.slice(0, length)
        text = text.slice(length)
        onRequest(request, socket)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get accepted() {
      return accepted
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function requestLength(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const length = end + 4 + Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0)
  return text.length < length ? undefined : length
}

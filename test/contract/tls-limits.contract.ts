import assert from 'node:assert/strict'
import { connect } from 'node:tls'
import { type Context, Hono } from 'hono'
import type { RunningServer, ServeOptions } from '../../adapters/node/server.ts'
import { nodeTransport } from '../../adapters/node/transport.ts'
import { makeFiles } from './certificates.ts'
import { type Check, sleep } from './check.ts'

/** What came back on a connection, and when it was closed; undefined: it was not. */
interface Outcome {
  readonly statuses: readonly number[]
  readonly closedMs: number | undefined
}
type Ask = (bytes: string, forMs?: number) => Promise<Outcome>

const LIMITS = {
  urlCharacters: 100,
  headers: 10,
  headerBytes: 4096,
  headTimeoutMs: 1000,
  keepAliveMs: 3000,
  connections: 3,
  requestsPerConnection: 4,
} as const
/** Between two looks for connections that are late, and a busy machine. */
const LATE_MS = 2500

/** What a listener with TLS takes at the most: the same on every runtime. */
export function tlsLimitChecks(serve: (options: ServeOptions) => Promise<RunningServer>): Check[] {
  const check = (name: string, run: (ask: Ask) => Promise<void>): Check => ({
    name: `limits: ${name}`,
    async run() {
      const files = makeFiles()
      const { cert, key, ca } = files
      const telemetry = { log: () => {}, count: () => {} }
      const listen = { host: '127.0.0.1', port: 0 }
      const server = await serve({ app: app(), listen, tls: { cert, key }, limits: LIMITS, telemetry })
      try {
        await run((bytes, forMs = 500) => ask({ port: server.port, ca }, bytes, forMs))
      } finally {
        await server.close(0)
        files.remove()
      }
    },
  })
  const get = (more = '', target = '/') => `GET ${target} HTTP/1.1\r\nhost: x\r\n${more}\r\n`
  const refuses = (name: string, bytes: string, status: number): Check =>
    check(name, async ask => {
      const { statuses, closedMs } = await ask(bytes)
      assert.deepEqual(statuses, [status])
      assert.notEqual(closedMs, undefined)
    })

  return [
    refuses('many fields', get(Array.from({ length: 12 }, (_, index) => `x-${index}: 1\r\n`).join('')), 431),
    refuses('a long head', get(`x: ${'a'.repeat(5000)}\r\n`), 431),
    refuses('a long URL', get('', `/${'a'.repeat(100)}`), 414),
    refuses('two of a field', get('authorization: a\r\nauthorization: b\r\n'), 400),
    check('a head that does not end', async ask => {
      const { statuses, closedMs = Number.NaN } = await ask('GET / HTTP/1.1\r\nhost: x\r\n', 6000)
      assert.ok(statuses.every(status => status === 408))
      assert.ok(closedMs >= 900 && closedMs < LIMITS.headTimeoutMs + LATE_MS, String(closedMs))
    }),
    check('idle connections, but no answer in progress', async ask => {
      const [idle, half, busy] = await Promise.all([
        ask(get(), 8000),
        ask(`${get()}GET / HTTP/1.1\r\n`, 8000),
        // A pipelined one: the first answer's end does not make the connection idle.
        ask(get() + get('', '/slow'), 8000),
      ])
      assert.deepEqual(idle.statuses, [200])
      for (const { closedMs = Number.NaN } of [idle, half]) assert.ok(closedMs < LIMITS.keepAliveMs + LATE_MS)
      assert.deepEqual(busy.statuses, [200, 200])
    }),
    check('connections, and requests on one', async ask => {
      const { statuses } = await ask(get().repeat(6))
      assert.deepEqual(statuses.slice(0, 4), [200, 200, 200, 200])
      assert.ok(statuses.slice(4).every(status => status === 503))
      const all = await Promise.all(Array.from({ length: 5 }, () => ask(get())))
      assert.equal(all.filter(({ statuses: [status] }) => status === 200).length, LIMITS.connections)
    }),
  ]
}

/** Answers at once, or later than an idle connection may last. */
function app(): Hono {
  const answer = (c: Context) =>
    nodeTransport.connection(c).respond({ status: 200, headers: {}, body: new Uint8Array(2) })
  return new Hono().get('/', answer).get('/slow', async c => {
    await sleep(LIMITS.keepAliveMs + 1500)
    return answer(c)
  })
}

function ask({ port, ca }: { port: number; ca: string }, bytes: string, forMs: number): Promise<Outcome> {
  return new Promise(resolve => {
    const since = performance.now()
    const socket = connect({ port, host: '127.0.0.1', ca })
    let text = ''
    const end = (closedMs?: number): void => {
      clearTimeout(timer)
      socket.destroy()
      const statuses = Array.from(text.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status]) => Number(status))
      resolve({ statuses, closedMs })
    }
    const timer = setTimeout(end, forMs)
    const closed = (): void => end(performance.now() - since)
    socket.on('error', () => {})
    socket.on('end', closed)
    socket.on('close', closed)
    socket.on('data', data => {
      text += String(data)
    })
    socket.on('secureConnect', () => socket.write(bytes))
  })
}

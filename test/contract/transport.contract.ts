import assert from 'node:assert/strict'
import { get as getPlain } from 'node:http'
import { get as getSecure } from 'node:https'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Context, type Env, Hono } from 'hono'
import type { RunningServer, ServeOptions, TlsFiles } from '../../adapters/node/server.ts'
import type { AnswerSink, AnswerSource, BodyResult, Transport } from '../../src/ports/transport.ts'
import { type Check, sleep, standstill, until } from './check.ts'

/** What a lost client may take to show: a few milliseconds, with room for a busy machine. */
const SOON_MS = 250
const LIMIT = 100_000
const BODY_TIMEOUT_MS = 200
const PART = new Uint8Array(65_536).fill(97)

/** Records what happens to an answer's source, and lets the test drive it. */
class Source implements AnswerSource {
  sink: AnswerSink | undefined
  resumed = 0
  cancelled = 0
  start(sink: AnswerSink): void {
    this.sink = sink
  }
  resume(): void {
    this.resumed += 1
  }
  cancel(): void {
    this.cancelled += 1
  }
  write(text: string): boolean {
    return (this.sink as AnswerSink).write(new TextEncoder().encode(text))
  }
}

/** What the app under test saw of the latest request. */
interface Seen {
  address: string
  body: BodyResult | undefined
  gone: number
  source: Source
  /** Lets a request to `/wait` go on to its answer. */
  release: () => void
}

/** A raw HTTP/1.1 client: what it reads, and when it reads. */
class Client {
  readonly socket: Socket
  text = ''
  bytes = 0
  closed = false

  constructor(socket: Socket, request: string) {
    this.socket = socket
    this.socket.setNoDelay(true)
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.closed = true
    })
    this.socket.on('data', data => {
      this.bytes += data.length
      if (this.text.length < LIMIT) this.text += data.toString('latin1')
    })
    this.socket.write(request)
  }
  get answers(): number {
    return this.text.split('HTTP/1.1 ').length - 1
  }
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: test\r\n\r\n`
const post = (path: string, headers: string, body = ''): string =>
  `POST ${path} HTTP/1.1\r\nhost: test\r\n${headers}\r\n\r\n${body}`

/** To check the same over TLS. */
export interface SecureOptions {
  readonly tls: TlsFiles
  readonly ca: string
}

/** What every binding of a runtime's sockets must do, seen from outside. */
export function transportChecks(
  transport: Transport<Context>,
  serve: <E extends Env>(options: ServeOptions<E>) => Promise<RunningServer>,
  secure?: SecureOptions,
): Check[] {
  const dial = (port: number): Socket =>
    secure ? connectTls({ port, host: '127.0.0.1', ca: secure.ca }) : connect(port, '127.0.0.1')
  const open = (port: number, request: string): Client => new Client(dial(port), request)
  const check = (name: string, run: (server: RunningServer, seen: Seen) => Promise<void>): Check => ({
    name,
    async run() {
      const seen: Seen = { address: '', body: undefined, gone: 0, source: new Source(), release: () => {} }
      const telemetry = { log: () => {}, count: () => {} }
      const server = await serve({
        app: probe(transport, seen),
        listen: { host: '127.0.0.1', port: 0 },
        tls: secure?.tls,
        telemetry,
      })
      try {
        await run(server, seen)
      } finally {
        await server.close(0)
      }
    },
  })

  return [
    check('answers with bytes and keeps the connection', async ({ port }, seen) => {
      const client = open(port, post('/echo', 'content-length: 5', 'hello'))
      await until('the answer', () => client.text.endsWith('hello'))
      assert.match(client.text, /^HTTP\/1\.1 201 /)
      assert.match(client.text, /\r\nx-mine: yes\r\n/i)
      assert.match(client.text, /\r\ncontent-length: 5\r\n/i)
      assert.equal(seen.address, '127.0.0.1')
      client.socket.write(post('/echo', 'transfer-encoding: chunked', '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'))
      await until('the second answer', () => client.answers === 2 && client.text.endsWith('abcde'))
      client.socket.write(post('/echo', 'content-length: 0'))
      await until('the third answer', () => client.answers === 3)
      client.socket.write(get('/empty'))
      await until('the fourth answer', () => client.answers === 4)
      assert.match(client.text, /HTTP\/1\.1 204 /)
      await sleep(20)
      assert.equal(client.closed, false)
      assert.equal(seen.gone, 0, 'a complete answer is no lost client')
      client.socket.destroy()
    }),
    check('takes a body of exactly the limit', async ({ port }, seen) => {
      const client = open(port, post('/echo', `content-length: ${LIMIT}`, 'x'.repeat(LIMIT)))
      await until('the answer', () => client.bytes > LIMIT)
      assert.ok(seen.body?.ok)
      client.socket.destroy()
    }),
    check('streams: head and chunks as they are written, then the end', async ({ port }, seen) => {
      const client = open(port, get('/stream'))
      await until('the start', () => seen.source.sink !== undefined)
      for (const word of ['one', 'two', 'three']) {
        seen.source.write(word)
        await until(word, () => client.text.includes(word), 500)
      }
      assert.match(client.text, /content-type: text\/event-stream\r\n/i)
      seen.source.sink?.end()
      await until('the last chunk', () => client.text.endsWith('0\r\n\r\n'))
      seen.source.sink?.end()
      assert.equal(seen.source.write('late'), false)
      client.socket.write(get('/empty'))
      await until('the next answer', () => client.text.includes('204'))
      client.socket.destroy()
      await sleep(50)
      assert.deepEqual([seen.source.cancelled, seen.gone], [0, 0])
      assert.ok(!client.text.includes('late'))
    }),
    check('streams bytes intact, whatever the size of the chunks', async ({ port, url }, seen) => {
      const answer = download(`${url}/stream`, secure?.ca)
      await until('the start', () => seen.source.sink !== undefined)
      const sizes = [1, 9, 10, 15, 16, 17, 255, 256, 0, 4095, 4096, 65_535, 65_536, 70_000]
      const parts = sizes.map((size, i) => new Uint8Array(size).fill(i))
      for (const part of parts) seen.source.sink?.write(part)
      seen.source.sink?.end()
      assert.ok(Buffer.concat(parts).equals(await answer))
      seen.source = new Source()
      const old = open(port, 'GET /stream HTTP/1.0\r\nhost: test\r\n\r\n')
      await until('a client of HTTP/1.0', () => seen.source.sink !== undefined)
      seen.source.write('one')
      seen.source.sink?.end()
      await until('the end', () => old.text.endsWith('one') || old.text.endsWith('one\r\n0\r\n\r\n'))
      assert.equal(/transfer-encoding: chunked/i.test(old.text), !old.text.endsWith('one'))
      assert.equal(seen.source.cancelled, 0)
      old.socket.destroy()
    }),
    check('answers HEAD with the head alone', async ({ port }, seen) => {
      const client = open(port, 'HEAD /stream HTTP/1.1\r\nhost: test\r\n\r\n')
      await until('the head', () => client.text.includes('\r\n\r\n'))
      assert.match(client.text, /^HTTP\/1\.1 200 [^]*text\/event-stream/)
      await until('the source to be cancelled', () => seen.source.cancelled === 1)
      client.socket.write(get('/empty'))
      await until('the next answer', () => client.answers === 2)
      client.socket.destroy()
    }),
    check('refuses a body that is announced too large, so that the client sees it', async ({ port }, seen) => {
      const client = open(port, post('/echo', 'content-length: 8000000', 'x'.repeat(50_000)))
      // As most clients do, it sends to the end before it reads: a reset meanwhile would cost it the answer.
      client.socket.pause()
      for (let i = 0; i < 100; i++) client.socket.write('x'.repeat(50_000))
      await sleep(150)
      client.socket.resume()
      await until('the answer', () => client.text.includes('too_large'))
      assert.match(client.text, /connection: close\r\n/i)
      assert.deepEqual(seen.body, { ok: false, reason: 'too_large' })
      await until('the close', () => client.closed)
    }),
    check('refuses a body that turns out too large', async ({ port }, seen) => {
      const client = open(port, post('/echo', 'transfer-encoding: chunked', ''))
      for (let i = 0; i < 20; i++) client.socket.write(`2710\r\n${'x'.repeat(10_000)}\r\n`)
      await until('the answer', () => client.text.includes('too_large'))
      assert.deepEqual(seen.body, { ok: false, reason: 'too_large' })
      await until('the close', () => client.closed)
    }),
    check('gives a slow body up', async ({ port }, seen) => {
      for (const head of ['content-length: 10', 'transfer-encoding: chunked']) {
        const since = performance.now()
        const client = open(port, post('/echo', head, '2\r\nab\r\n'))
        await until('the answer', () => client.text.includes('timeout'))
        assert.ok(performance.now() - since >= BODY_TIMEOUT_MS - 5)
        assert.deepEqual(seen.body, { ok: false, reason: 'timeout' })
        await until('the close', () => client.closed)
      }
    }),
    check('tells a body that was broken off', async ({ port }, seen) => {
      for (const head of ['content-length: 10', 'transfer-encoding: chunked']) {
        seen.body = undefined
        const client = open(port, post('/echo', head, '2\r\nab\r\n'))
        await sleep(50)
        client.socket.destroy()
        await until('the result', () => seen.body !== undefined)
        assert.deepEqual(seen.body, { ok: false, reason: 'aborted' })
      }
    }),
    check('tells that the client has gone before the first byte', async ({ port }, seen) => {
      const client = open(port, post('/wait', 'content-length: 2', 'hi'))
      await until('the request', () => seen.body !== undefined)
      await sleep(20)
      const since = performance.now()
      client.socket.destroy()
      await until('the news', () => seen.gone > 0)
      assert.ok(performance.now() - since < SOON_MS)
      seen.release()
      await until('the source to be cancelled', () => seen.source.cancelled > 0)
      await sleep(20)
      assert.deepEqual([seen.gone, seen.source.cancelled], [2, 1], 'a late listener is told too')
    }),
    check('cancels the source once when the client goes away', async ({ port }, seen) => {
      for (const written of [false, true]) {
        seen.source = new Source()
        seen.gone = 0
        const client = open(port, get('/stream'))
        await until('the start', () => seen.source.sink !== undefined)
        if (written) {
          seen.source.write('one')
          await until('the first chunk', () => client.text.includes('one'))
        }
        await sleep(20)
        const since = performance.now()
        client.socket.destroy()
        await until('the cancel', () => seen.source.cancelled > 0)
        assert.ok(performance.now() - since < SOON_MS)
        assert.equal(seen.source.write('late'), false)
        seen.source.sink?.end()
        await sleep(20)
        assert.deepEqual([seen.source.cancelled, seen.gone], [1, 1])
      }
    }),
    check('holds a source back for a slow client', async ({ port }, seen) => {
      const client = open(port, get('/stream'))
      await until('the start', () => seen.source.sink !== undefined)
      client.socket.pause()
      const total = 1000
      let parts = 0
      const push = async (): Promise<void> => {
        while (parts < total) {
          parts += 1
          const before = seen.source.resumed
          if (seen.source.sink?.write(PART)) await sleep(0)
          else await until('to be resumed', () => seen.source.resumed > before, 10_000)
        }
        seen.source.sink?.end()
      }
      const pushed = push()
      const held = await standstill('the source', () => parts)
      assert.ok(held < 300, `${held} parts of 64 KiB went out to a client that reads none`)
      client.socket.resume()
      await pushed
      await until('everything', () => client.bytes > total * PART.byteLength, 10_000)
      client.socket.destroy()
    }),
    check('cancels a source that waits for a slow client which then leaves', async ({ port }, seen) => {
      const client = open(port, get('/stream'))
      await until('the start', () => seen.source.sink !== undefined)
      client.socket.pause()
      for (let i = 0; i < 400 && seen.source.sink?.write(PART); i++) await sleep(0)
      client.socket.destroy()
      await until('the cancel', () => seen.source.cancelled === 1)
    }),
    check(
      'closes gracefully: idle connections at once, answers in progress when they are done',
      async (server, seen) => {
        const idle = open(server.port, get('/empty'))
        const busy = open(server.port, get('/stream'))
        await until('both', () => idle.text !== '' && seen.source.sink !== undefined)
        seen.source.write('one')
        await sleep(20)
        const since = performance.now()
        let done = false
        const closed = server.close(5000).then(() => {
          done = true
        })
        await until('the idle connection to close', () => idle.closed, 500)
        assert.ok((await refused(server.port)) === true, 'nothing more is accepted')
        await sleep(100)
        assert.equal(done, false)
        seen.source.write('two')
        seen.source.sink?.end()
        await closed
        await until('the end', () => busy.closed)
        assert.ok(performance.now() - since < 1500)
        assert.match(busy.text, /one[^]*two[^]*0\r\n\r\n$/)
        assert.equal(seen.source.cancelled, 0)
      },
    ),
    check('closes what is left after the time to drain', async (server, seen) => {
      const client = open(server.port, get('/stream'))
      await until('the start', () => seen.source.sink !== undefined)
      const since = performance.now()
      await server.close(200)
      const took = performance.now() - since
      assert.ok(took >= 190 && took < 1000, `${took} ms`)
      await until('the close', () => client.closed && seen.source.cancelled === 1)
    }),
    check('reports an address in use', async server => {
      const app = new Hono()
      const telemetry = { log: () => {}, count: () => {} }
      await assert.rejects(serve({ app, listen: { host: '127.0.0.1', port: server.port }, telemetry }), error => {
        assert.ok(error instanceof Error)
        assert.equal(error.name, 'StartError')
        assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${server.port}.*already in use`))
        return true
      })
    }),
    check('shows where to reach it', async server => {
      assert.equal(server.url, `${secure ? 'https' : 'http'}://127.0.0.1:${server.port}`)
    }),
  ]
}

/** A small app over the transport alone. */
function probe(transport: Transport<Context>, seen: Seen): Hono {
  const app = new Hono()
  app.post('/echo', async c => {
    const connection = transport.connection(c)
    seen.address = connection.address
    connection.onGone(() => {
      seen.gone += 1
    })
    const body = await connection.readBody(LIMIT, BODY_TIMEOUT_MS)
    seen.body = body
    const text = new TextEncoder()
    return body.ok
      ? connection.respond({ status: 201, headers: { 'x-mine': 'yes' }, body: body.bytes })
      : connection.respond({ status: 400, headers: {}, body: text.encode(body.reason) })
  })
  app.get('/empty', c => transport.connection(c).respond({ status: 204, headers: {}, body: new Uint8Array(0) }))
  app.get('/stream', c => {
    const connection = transport.connection(c)
    connection.onGone(() => {
      seen.gone += 1
    })
    return connection.respond({ status: 200, headers: { 'content-type': 'text/event-stream' }, body: seen.source })
  })
  app.post('/wait', async c => {
    const connection = transport.connection(c)
    const told = (): void => {
      seen.gone += 1
    }
    connection.onGone(told)
    seen.body = await connection.readBody(LIMIT, BODY_TIMEOUT_MS)
    await new Promise<void>(resolve => {
      seen.release = resolve
    })
    connection.onGone(told)
    return connection.respond({ status: 200, headers: {}, body: seen.source })
  })
  return app
}

function download(url: string, ca: string | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sent = ca === undefined ? getPlain(url) : getSecure(url, { ca })
    sent.on('error', reject).on('response', response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => void chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks))).on('error', reject)
    })
  })
}

function refused(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(true))
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
  })
}

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { Upstream, UpstreamFailure, UpstreamReceiver } from '../../src/ports/upstream.ts'
import { type Check, sleep, standstill, until } from './check.ts'
import { type RawServer, rawServer } from './raw-server.ts'

const JSON_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
/** What a cancel may take to show at the other end: a few milliseconds, with room for a busy machine. */
const SOON_MS = 250

/** Records what a receiver is told. */
class Recorder implements UpstreamReceiver {
  readonly events: string[] = []
  status = 0
  headers: Readonly<Record<string, string>> = {}
  text = ''
  bytes = 0
  parts = 0
  failure: UpstreamFailure | undefined

  get over(): boolean {
    return this.events.includes('end') || this.events.includes('failure')
  }
  onHead(status: number, headers: Readonly<Record<string, string>>): void {
    this.events.push('head')
    this.status = status
    this.headers = headers
  }
  onData(chunk: Uint8Array): void {
    if (this.events.at(-1) !== 'data') this.events.push('data')
    this.parts += 1
    this.bytes += chunk.byteLength
    if (this.bytes < 100_000) this.text += new TextDecoder().decode(chunk)
  }
  onEnd(): void {
    this.events.push('end')
  }
  onFailure(failure: UpstreamFailure): void {
    this.events.push('failure')
    this.failure = failure
  }
}

/** Writes and, a moment later, closes: bytes that come together with the close may be lost. */
function breakOff(socket: Socket, text: string): void {
  socket.write(text)
  setTimeout(() => socket.end(), 30)
}

/** What every adapter to model servers must do. `create` makes a fresh one for each check. */
export function upstreamChecks(create: () => Upstream): Check[] {
  let seen = ''
  let closedAt: number | undefined
  let socketAtServer: Socket | undefined
  const hold = (head: string) => (_: string, socket: Socket) => {
    socketAtServer = socket
    socket.once('close', () => {
      closedAt = performance.now()
    })
    if (head) socket.write(head)
  }

  const check = (
    name: string,
    onRequest: (request: string, socket: Socket) => void,
    run: (upstream: Upstream, server: RawServer) => Promise<void>,
  ): Check => ({
    name,
    async run() {
      closedAt = socketAtServer = undefined
      const server = await rawServer(onRequest)
      const upstream = create()
      try {
        await run(upstream, server)
      } finally {
        await server.close()
        await upstream.close()
      }
    },
  })

  const get = (upstream: Upstream, url: string, receiver: UpstreamReceiver) =>
    upstream.send({ method: 'GET', url, headers: {} }, receiver)

  const answered = async (upstream: Upstream, url: string): Promise<Recorder> => {
    const recorder = new Recorder()
    get(upstream, url, recorder)
    await until('the end of the answer', () => recorder.over)
    return recorder
  }

  const failsAs = (name: string, answer: (socket: Socket) => void, kind: string, events: string[]): Check =>
    check(
      name,
      (_, socket) => answer(socket),
      async (upstream, server) => {
        const recorder = await answered(upstream, `${server.origin}/`)
        assert.equal(recorder.failure?.kind, kind)
        assert.deepEqual(recorder.events, events)
        assert.ok(recorder.failure?.message.includes(server.origin), recorder.failure?.message)
        assert.ok(!recorder.failure?.message.includes('abc'), 'no body in a message')
      },
    )

  const seenSoon = async (since: number): Promise<void> => {
    await until('the model server to see the close', () => closedAt !== undefined)
    assert.ok((closedAt as number) - since < SOON_MS, `seen after ${(closedAt as number) - since} ms`)
  }

  return [
    ...(['bytes', 'text'] as const).map(form =>
      check(
        `sends the request as given, its body as ${form}, and reports head, body and end`,
        (request, socket) => {
          seen = request
          socket.write(JSON_ANSWER)
        },
        async (upstream, server) => {
          const recorder = new Recorder()
          const given = '{"é":"\u{1f600}"}'
          const body = form === 'text' ? given : new TextEncoder().encode(given)
          const headers = { 'content-type': 'application/json', authorization: 'Bearer x' }
          upstream.send({ method: 'POST', url: `${server.origin}/v1/x?y=1`, headers, body }, recorder)
          await until('the end', () => recorder.over)
          assert.deepEqual(recorder.events, ['head', 'data', 'end'])
          assert.equal(recorder.status, 200)
          assert.equal(recorder.headers['content-type'], 'application/json')
          assert.equal(recorder.text, '{}')
          assert.match(seen, /^POST \/v1\/x\?y=1 HTTP\/1\.1\r\n/)
          assert.match(seen, /content-length: 13\r\n/i)
          assert.match(seen, /authorization: Bearer x\r\n/i)
          assert.ok(seen.endsWith(Buffer.from(given).toString('latin1')))
          assert.doesNotMatch(seen, /gzip|deflate|br\b|zstd/)
        },
      ),
    ),
    check(
      'passes chunks on in order as they come',
      (_, socket) => {
        socket.write(`${STREAM_HEAD}3\r\nabc\r\n`)
        setTimeout(() => socket.write('3\r\ndef\r\n'), 40)
        setTimeout(() => socket.write('3\r\nghi\r\n0\r\n\r\n'), 80)
      },
      async (upstream, server) => {
        const recorder = await answered(upstream, `${server.origin}/`)
        assert.equal(recorder.text, 'abcdefghi')
        assert.ok(recorder.parts >= 3)
        assert.deepEqual(recorder.events, ['head', 'data', 'end'])
      },
    ),
    check(
      'makes one call of the chunks of one read',
      (_, socket) => socket.write(`${STREAM_HEAD}${'3\r\nabc\r\n'.repeat(50)}0\r\n\r\n`),
      async (upstream, server) => {
        const recorder = await answered(upstream, `${server.origin}/`)
        assert.equal(recorder.text, 'abc'.repeat(50))
        assert.ok(recorder.parts <= 2, `${recorder.parts} calls`)
      },
    ),
    check(
      'reads an answer that ends with the connection',
      (_, socket) => socket.end('HTTP/1.1 200 OK\r\nx-a: 1\r\nX-A: 2\r\n\r\nabc'),
      async (upstream, server) => {
        const recorder = await answered(upstream, `${server.origin}/`)
        assert.deepEqual(recorder.events, ['head', 'data', 'end'])
        assert.equal(recorder.headers['x-a'], '1, 2')
      },
    ),
    check(
      'reports answers without a body, refusals and redirects as they are',
      (request, socket) => {
        const status = request.includes('/204') ? '204 No Content' : '302 Found\r\nlocation: /204\r\ncontent-length: 0'
        socket.write(`HTTP/1.1 ${status}\r\n\r\n`)
      },
      async (upstream, server) => {
        assert.deepEqual((await answered(upstream, `${server.origin}/204`)).events, ['head', 'end'])
        assert.equal((await answered(upstream, `${server.origin}/302`)).status, 302)
      },
    ),
    check(
      'ignores informational answers',
      (_, socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${JSON_ANSWER}`),
      async (upstream, server) => {
        const recorder = await answered(upstream, `${server.origin}/`)
        assert.deepEqual([recorder.status, recorder.events], [200, ['head', 'data', 'end']])
      },
    ),
    check(
      'does not decompress',
      (_, socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc'),
      async (upstream, server) => assert.equal((await answered(upstream, `${server.origin}/`)).text, 'abc'),
    ),
    check(
      'reports a refused connection, and only after returning its flow',
      () => {},
      async (upstream, server) => {
        await server.close()
        const recorder = new Recorder()
        const flow = get(upstream, `${server.origin}/`, recorder)
        assert.deepEqual(recorder.events, [])
        await until('the failure', () => recorder.over)
        assert.equal(recorder.failure?.kind, 'connect')
        assert.match(recorder.failure?.message ?? '', /ECONNREFUSED/)
        flow.cancel()
      },
    ),
    failsAs('reports a reset before the head', socket => socket.destroy(), 'reset', ['failure']),
    failsAs('reports what is not HTTP', socket => socket.end('SSH-2.0-x abc\r\n\r\n'), 'protocol', ['failure']),
    failsAs(
      'reports a counted body cut short',
      socket => breakOff(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'),
      'reset',
      ['head', 'data', 'failure'],
    ),
    failsAs('reports a chunked body cut short', socket => breakOff(socket, `${STREAM_HEAD}3\r\nabc\r\n`), 'reset', [
      'head',
      'data',
      'failure',
    ]),
    failsAs(
      'reports a chunked body cut short on a connection that was to close',
      socket =>
        breakOff(socket, 'HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'),
      'reset',
      ['head', 'data', 'failure'],
    ),
    failsAs('reports broken chunking', socket => socket.write(`${STREAM_HEAD}zz\r\nabc\r\n`), 'protocol', [
      'head',
      'failure',
    ]),
    check('cancels before the head: the model server sees it', hold(''), async (upstream, server) => {
      const recorder = new Recorder()
      const flow = get(upstream, `${server.origin}/`, recorder)
      await until('the request to arrive', () => socketAtServer !== undefined)
      const since = performance.now()
      flow.cancel()
      await seenSoon(since)
      await sleep(20)
      assert.deepEqual(recorder.events, [])
    }),
    check(
      'cancels in the middle: the model server sees it',
      hold(`${STREAM_HEAD}3\r\nabc\r\n`),
      async (upstream, server) => {
        const recorder = new Recorder()
        const flow = get(upstream, `${server.origin}/`, recorder)
        await until('the first chunk', () => recorder.bytes === 3)
        const since = performance.now()
        flow.cancel()
        flow.cancel()
        await seenSoon(since)
        await sleep(20)
        assert.deepEqual(recorder.events, ['head', 'data'])
      },
    ),
    check('cancels while paused', hold(`${STREAM_HEAD}3\r\nabc\r\n`), async (upstream, server) => {
      const recorder = new Recorder()
      const flow = get(upstream, `${server.origin}/`, recorder)
      await until('the first chunk', () => recorder.bytes === 3)
      flow.pause()
      const since = performance.now()
      flow.cancel()
      await seenSoon(since)
      flow.resume()
    }),
    check('cancels at once after sending', hold(''), async (upstream, server) => {
      const recorder = new Recorder()
      get(upstream, `${server.origin}/`, recorder).cancel()
      await sleep(50)
      assert.deepEqual(recorder.events, [])
    }),
    check(
      'lets a receiver cancel from inside its own call',
      hold(`${STREAM_HEAD}3\r\nabc\r\n`),
      async (upstream, server) => {
        const recorder = new Recorder()
        const flow = upstream.send(
          { method: 'GET', url: `${server.origin}/`, headers: {} },
          {
            onHead: (status, headers) => {
              recorder.onHead(status, headers)
              flow.cancel()
            },
            onData: chunk => recorder.onData(chunk),
            onEnd: () => recorder.onEnd(),
            onFailure: failure => recorder.onFailure(failure),
          },
        )
        await seenSoon(performance.now() + 1000)
        assert.deepEqual(recorder.events, ['head'])
      },
    ),
    check(
      'survives a receiver that throws',
      (_, socket) => socket.write(JSON_ANSWER),
      async (upstream, server) => {
        for (const place of ['onHead', 'onData', 'onEnd', 'onFailure'] as const) {
          const recorder = new Recorder()
          const fault = (): never => {
            recorder.events.push(place)
            throw new TypeError('secret')
          }
          get(upstream, place === 'onFailure' ? 'http://127.0.0.1:1/' : `${server.origin}/`, {
            onHead: place === 'onHead' ? fault : (status, headers) => recorder.onHead(status, headers),
            onData: place === 'onData' ? fault : chunk => recorder.onData(chunk),
            onEnd: place === 'onEnd' ? fault : () => recorder.onEnd(),
            onFailure: place === 'onFailure' ? fault : failure => recorder.onFailure(failure),
          })
          await until(`${place} to be called`, () => recorder.events.includes(place))
          if (place !== 'onHead' && place !== 'onData') continue
          await until('the failure', () => recorder.failure !== undefined)
          assert.match(recorder.failure?.message ?? '', /TypeError/)
          assert.doesNotMatch(recorder.failure?.message ?? '', /secret/)
        }
        assert.equal((await answered(upstream, `${server.origin}/`)).text, '{}')
      },
    ),
    pauseCheck(),
    check(
      'reuses connections',
      (_, socket) => socket.write(JSON_ANSWER),
      async (upstream, server) => {
        for (let i = 0; i < 5; i++) {
          await answered(upstream, `${server.origin}/${i}`)
          await sleep(10)
        }
        assert.equal(server.accepted, 1)
      },
    ),
    check(
      'tells the server to close the connection behind the answer, and takes a new one',
      (request, socket) => {
        seen = request
        socket.write(JSON_ANSWER)
        if (/^connection: close\r$/im.test(request)) socket.end()
      },
      async (upstream, server) => {
        for (let calls = 1; calls <= 3; calls++) {
          const recorder = new Recorder()
          upstream.send({ method: 'GET', url: `${server.origin}/`, headers: {}, closeAfter: true }, recorder)
          await until('the end', () => recorder.over)
          assert.deepEqual(recorder.events, ['head', 'data', 'end'], recorder.failure?.message)
          assert.equal(server.accepted, calls)
          assert.match(seen, /^connection: close\r$/im)
        }
      },
    ),
    check(
      'notices a kept connection that the server has closed without a word',
      (_, socket) => {
        socket.write(JSON_ANSWER)
        setTimeout(() => socket.end(), 30)
      },
      async (upstream, server) => {
        for (let i = 0; i < 3; i++) {
          const recorder = await answered(upstream, `${server.origin}/`)
          assert.deepEqual(recorder.events, ['head', 'data', 'end'], recorder.failure?.message)
          await sleep(100)
        }
        assert.equal(server.accepted, 3)
      },
    ),
    check(
      'never repeats a request that may have been processed',
      (request, socket) => {
        if (request.includes('/first')) return socket.write(JSON_ANSWER)
        seen += '*'
        return socket.destroy()
      },
      async (upstream, server) => {
        await answered(upstream, `${server.origin}/first`)
        seen = ''
        const recorder = new Recorder()
        const body = new TextEncoder().encode('{}')
        upstream.send({ method: 'POST', url: `${server.origin}/again`, headers: {}, body }, recorder)
        await until('the failure', () => recorder.over)
        assert.equal(recorder.failure?.kind, 'reset')
        assert.equal(seen, '*')
      },
    ),
    check(
      'refuses new calls once closed and lets those in progress finish',
      (_, socket) => {
        socket.write(`${STREAM_HEAD}3\r\nabc\r\n`)
        setTimeout(() => socket.write('0\r\n\r\n'), 100)
      },
      async (upstream, server) => {
        const running = new Recorder()
        get(upstream, `${server.origin}/`, running)
        await until('the first chunk', () => running.bytes === 3)
        const closed = upstream.close()
        assert.equal((await answered(upstream, `${server.origin}/`)).failure?.kind, 'connect')
        await until('the answer in progress', () => running.over)
        assert.deepEqual(running.events, ['head', 'data', 'end'])
        await closed
      },
    ),
  ]

  /** A server that would send 256 MB: while the flow is paused, only what fits the kernel's buffers leaves it. */
  function pauseCheck(): Check {
    const part = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 97), Buffer.from('\r\n')])
    const total = 4096
    let sent = 0
    return check(
      'reads nothing more while paused, and all of it after',
      (_, socket) => {
        sent = 0
        socket.write(STREAM_HEAD)
        const push = (): void => {
          while (sent < total) {
            sent += 1
            if (!socket.write(part)) return void socket.once('drain', push)
          }
          socket.write('0\r\n\r\n')
        }
        push()
      },
      async (upstream, server) => {
        const recorder = new Recorder()
        const flow = get(upstream, `${server.origin}/`, recorder)
        await until('the first chunk', () => recorder.bytes > 0)
        flow.pause()
        await sleep(20)
        const delivered = recorder.bytes
        const held = await standstill('the model server', () => sent)
        assert.ok(held < 600, `${held} parts of 64 KiB left the server`)
        assert.equal(recorder.bytes, delivered, 'nothing is delivered while paused')
        flow.resume()
        await until('everything', () => recorder.over, 10_000)
        assert.equal(recorder.bytes, total * 65_536)
        assert.deepEqual(recorder.events, ['head', 'data', 'end'])
      },
    )
  }
}

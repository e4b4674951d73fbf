import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Runtime, startGateway } from '../support/index.ts'
import { message } from './events.ts'
import { chat, type Rig, replies } from './rig.ts'

/** What came back, and what became of the connection. */
interface Outcome {
  /** Of all answers; none where the connection was closed without one. */
  readonly statuses: readonly number[]
  readonly text: string
  readonly closed: boolean
  readonly tookMs: number
}

interface RawOptions {
  readonly gateway: Gateway
  /** How long to wait for the connection to close. */
  readonly forMs?: number
  /** Wait for one whole answer only, and close. */
  readonly once?: boolean
  /** Sent again and again until then. */
  readonly drip?: string
}

/** Sends bytes as they are. */
function raw(
  bytes: string,
  { gateway, once = false, forMs = once ? 10_000 : 400, drip }: RawOptions,
): Promise<Outcome> {
  return new Promise(resolve => {
    const since = performance.now()
    const socket = connect(gateway.port, '127.0.0.1')
    let text = ''
    let closed = false
    const end = () => {
      clearTimeout(timer)
      clearInterval(drops)
      socket.destroy()
      const statuses = Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status))
      resolve({ statuses, text, closed, tookMs: performance.now() - since })
    }
    const timer = setTimeout(end, forMs)
    const drops = setInterval(() => drip !== undefined && socket.writable && socket.write(drip), 100)
    socket.on('error', () => undefined)
    socket.on('data', data => {
      text += data.toString('latin1')
      if (once && isWhole(text)) end()
    })
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        closed = true
        end()
      })
    }
    socket.write(Buffer.from(bytes, 'latin1'))
  })
}

/** A head with a length, and as many bytes behind it. */
const ANSWER = /\r\ncontent-length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n/i

function isWhole(text: string): boolean {
  const head = ANSWER.exec(text)
  return head !== null && text.length - head.index - head[0].length >= Number(head[1])
}

const BODY = JSON.stringify(chat('hi'))
const SIZE = BODY.length.toString(16)
/** Rows of a name and the bytes, in which `{A}` is replaced by good credentials. */
type Shapes = Readonly<Record<string, string>>

const post = (target: string, more = '', { version = '1.1', host = 'host: x\r\n', method = 'POST' } = {}) =>
  `${method} ${target} HTTP/${version}\r\n${host}{A}content-length: ${BODY.length}\r\n${more}\r\n${BODY}`
const good = (more = '') => post('/v1/chat/completions', more)
const framed = (length: string, body: string, version = '1.1') =>
  `POST /v1/chat/completions HTTP/${version}\r\nhost: x\r\n{A}${length}\r\n${body}`
const chunked = (body: string) => framed('transfer-encoding: chunked\r\n', body)
const whole = `${SIZE}\r\n${BODY}\r\n0\r\n\r\n`

/** Two readers could find two different ends: refused, and nothing more is read from the connection. */
const DOUBTFUL: Shapes = {
  'a length and chunks': framed(`content-length: ${BODY.length}\r\ntransfer-encoding: chunked\r\n`, whole),
  'two lengths': framed(`content-length: ${BODY.length}\r\ncontent-length: ${BODY.length - 1}\r\n`, BODY),
  'a list of lengths': framed(`content-length: ${BODY.length}, ${BODY.length}\r\n`, BODY),
  'a length with a sign': framed(`content-length: +${BODY.length}\r\n`, BODY),
  'a length below nothing': framed('content-length: -1\r\n', BODY),
  'a length in hexadecimal': framed(`content-length: 0x${SIZE}\r\n`, BODY),
  'a length of nothing': framed('content-length:\r\n', BODY),
  'a length beyond all numbers': framed('content-length: 99999999999999999999999\r\n', BODY),
  'an encoding that is not known': framed('transfer-encoding: xchunked\r\n', whole),
  'an encoding before chunks': framed('transfer-encoding: gzip, chunked\r\n', whole),
  'an encoding behind chunks': framed('transfer-encoding: chunked, identity\r\n', whole),
  'identity and a length': good('transfer-encoding: identity\r\n'),
  'chunks twice': framed('transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n', whole),
  'chunks and something else': framed('transfer-encoding: chunked\r\ntransfer-encoding: x\r\n', whole),
  'chunks behind a control': framed('transfer-encoding: \x0bchunked\r\n', whole),
  'a space before the colon': framed('transfer-encoding : chunked\r\n', whole),
  'a folded line': framed('transfer-encoding:\r\n chunked\r\n', whole),
  'a folded line of another field': good('x-a: b\r\n c\r\n'),
  'line feeds alone': good().replaceAll('\r\n', '\n'),
  'a carriage return alone': good('x-a: b\rc: d\r\n'),
  'a NUL in a field': good('x-a: b\0c\r\n'),
  'a field without a name': good(': b\r\n'),
  'a field without a colon': good('abc\r\n'),
  'a name with brackets': good('x(a): b\r\n'),
  'a chunk of hexadecimal with its mark': chunked(`0x${whole}`),
  'a chunk below nothing': chunked(`-1\r\n${BODY}\r\n0\r\n\r\n`),
  'a chunk beyond all numbers': chunked(`ffffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n`),
  'a chunk behind a space': chunked(` ${whole}`),
  'a chunk that ends in line feeds': chunked(whole.replaceAll('\r\n', '\n')),
  'an extension that ends in a line feed': chunked(`${SIZE};a\n${BODY}\r\n0\r\n\r\n`),
  'a chunk longer than it says': chunked(`${SIZE}\r\n${BODY}xx\r\n0\r\n\r\n`),
  'a chunk extension without end': chunked(`${SIZE};${'a'.repeat(20_000)}\r\n${BODY}\r\n0\r\n\r\n`),
  'a space before the method': ` ${good()}`,
  'tabs in the first line': good().replace('POST /v1/chat/completions ', 'POST\t/v1/chat/completions\t'),
  'a space in the path': post('/v1/chat/completions x'),
  'a NUL in the path': post('/v1/chat/completions\0'),
  'no host': post('/v1/chat/completions', '', { host: '' }),
  'HTTP/1.2': post('/v1/chat/completions', '', { version: '1.2' }),
  'HTTP/2.0': post('/v1/chat/completions', '', { version: '2.0' }),
  'HTTP/0.9': 'GET /v1/models\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'no method that exists': post('/v1/chat/completions', '', { method: 'BREW' }),
  'a method in lower case': post('/v1/chat/completions', '', { method: 'post' }),
  'no target': post(''),
  'a target without a slash': post('v1/chat/completions'),
  'a target of a backslash': post('\\v1\\chat\\completions'),
  'a head of 17 KiB': good(`x: ${'y'.repeat(17_000)}\r\n`),
  'a head of 100 KB': good(`x: ${'y'.repeat(100_000)}\r\n`),
  'thousands of fields': good('a: y\r\n'.repeat(3000)),
  'a length in HTTP/1.0 with chunks beside it': framed(
    `content-length: 3\r\ntransfer-encoding: chunked\r\n`,
    whole,
    '1.0',
  ),
}

/** Fields of which each reader takes another one, and what only node:http lets the gateway see. */
const DOUBLED: Shapes = {
  'two hosts': post('/v1/chat/completions', '', { host: 'host: x\r\nhost: y\r\n' }),
  'two credentials': good('authorization: Bearer other\r\n'),
  'two types': good('content-type: text/plain\r\n'),
  'two request ids': good('x-request-id: a\r\nx-request-id: b\r\n'),
  'the same length twice': good(`content-length: ${BODY.length}\r\n`),
  'chunks in HTTP/1.0': framed('transfer-encoding: chunked\r\n', whole, '1.0'),
  'the absolute form': post('http://x/v1/chat/completions'),
  'the absolute form of another host': post('http://169.254.169.254/v1/chat/completions'),
  'the absolute form of HTTPS': post('https://x/v1/chat/completions'),
  'dots in the path': post('/v1/../v1/chat/completions'),
  'a dot in the path': post('/./v1/chat/completions'),
  'encoded dots': post('/x/%2e%2e/v1/chat/completions'),
  'dots encoded in part': post('/x/.%2E/v1/chat/completions'),
  'a backslash for a slash': post('/v1\\chat\\completions'),
  'an asterisk': post('*'),
}
/** What Bun makes of them before the gateway sees the request: one reading, and the only one. */
const DOUBLED_ON_BUN: Readonly<Record<string, number>> = {
  'two hosts': 200,
  'two credentials': 401,
  'two types': 415,
  'two request ids': 200,
  'the same length twice': 200,
  'chunks in HTTP/1.0': 400,
  'the absolute form': 200,
  'the absolute form of another host': 200,
  'the absolute form of HTTPS': 200,
  'dots in the path': 200,
  'a dot in the path': 200,
  'encoded dots': 200,
  'dots encoded in part': 200,
  'a backslash for a slash': 200,
  'an asterisk': 400,
}

/** Well-formed, and nothing that is served. */
const NOWHERE: Readonly<Record<string, readonly [bytes: string, status: number]>> = {
  'two slashes': [post('//v1/chat/completions'), 404],
  'two slashes inside': [post('/v1//chat/completions'), 404],
  'a host in the path': [post('//169.254.169.254/v1/chat/completions'), 404],
  'an encoded slash': [post('/v1%2Fchat/completions'), 404],
  'an encoded letter': [post('/v1/%63hat/completions'), 404],
  'another case': [post('/V1/Chat/Completions'), 404],
  'a slash at the end': [post('/v1/chat/completions/'), 404],
  'a dot at the end': [post('/v1/chat/completions.'), 404],
  'a space at the end': [post('/v1/chat/completions%20'), 404],
  'an encoded NUL': [post('/v1/chat/completions%00'), 404],
  'an encoded line end': [post('/v1/chat/completions%0d%0ax'), 404],
  'half an encoding': [post('/v1/chat/completions%2'), 404],
  'parameters in the path': [post('/v1/chat/completions;x=1'), 404],
  'a fragment': [post('/v1/chat/completions#x'), 400],
  'a long query': [post(`/v1/chat/completions?${'a'.repeat(3000)}`), 414],
  'a hundred and fifty fields': [good(Array.from({ length: 150 }, (_, at) => `x-${at}: y\r\n`).join('')), 431],
  TRACE: ['TRACE /v1/models HTTP/1.1\r\nhost: x\r\n\r\n', 405],
  'another method by a field': [
    'GET /v1/chat/completions HTTP/1.1\r\nhost: x\r\n{A}x-http-method-override: POST\r\n\r\n',
    405,
  ],
}

/** Odd, and of one reading only: served as what it is. */
const SERVED: Shapes = {
  'HTTP/1.0': post('/v1/chat/completions', '', { version: '1.0' }),
  chunks: chunked(whole),
  'chunks with extensions': chunked(`${SIZE};a=b\r\n${BODY}\r\n0\r\n\r\n`),
  'a question mark alone': post('/v1/chat/completions?'),
  'an upgrade to WebSocket': good('upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n'),
  'an upgrade to HTTP/2': good('upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMA\r\n'),
  'a length under another name': good('content_length: 3\r\n'),
}

/** Requests that were made to be read in two ways, slowly, or in ways that nobody meant. Raw sockets: no client helps. */
export function attacks(rig: Rig): void {
  let credentials = ''
  beforeAll(async () => {
    credentials = `authorization: Bearer ${await rig.token()}\r\ncontent-type: application/json\r\n`
    rig.answers(replies(message({ content: 'pong' })))
  })
  const send = (bytes: string, options: Partial<RawOptions> = {}) =>
    raw(bytes.replace('{A}', credentials), { gateway: rig.gateway, ...options })
  const rows = (shapes: Shapes) => Object.entries(shapes)

  describe('what two readers could take for different things', () => {
    test.each(rows(DOUBTFUL))('%s', async (name, bytes) => {
      const seen = await rig.seen(async () => {
        // A second request behind it must not be read as one of its own.
        const { statuses, text, closed } = await send(`${bytes}GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n`)
        if (name === 'a chunk extension without end' && rig.lacks('chunkExtensions'))
          return expect(statuses).toEqual([200, 200])
        expect(closed).toBe(true)
        expect(statuses.length).toBeLessThanOrEqual(1)
        for (const status of statuses) expect([400, 413, 431, 505]).toContain(status)
        expect(text).not.toMatch(/pong|"status":"ok"/)
      })
      expect(seen).toBe(name === 'a chunk extension without end' && rig.lacks('chunkExtensions') ? 1 : 0)
    })

    test.each(rows(DOUBLED))('%s', async (name, bytes) => {
      rig.answers(replies(message({ content: 'pong' })))
      const seen = await rig.seen(async () => {
        const { statuses, closed } = await send(bytes)
        if (rig.lacks('heads')) return expect(statuses).toEqual([DOUBLED_ON_BUN[name]])
        expect(closed).toBe(true)
        expect([[400], [404]]).toContainEqual(statuses)
      })
      const served = rig.lacks('heads') !== undefined && DOUBLED_ON_BUN[name] === 200
      expect(seen).toBe(served ? 1 : 0)
      if (!served) return
      expect(rig.last().path).toBe('/v1/chat/completions')
      expect(rig.last().headers.host).toBe(`127.0.0.1:${rig.upstream.port}`)
    })

    test('a flood of trailers', async () => {
      const { statuses, closed } = await send(chunked(`${SIZE}\r\n${BODY}\r\n0\r\n${'x: y\r\n'.repeat(20_000)}\r\n`))
      expect(closed).toBe(true)
      expect([[400], [431]]).toContainEqual(statuses)
      // The body in front of them is whole: Bun hands it over before it looks at them, and the model may be asked in vain.
      await new Promise(resolve => setTimeout(resolve, 200))
    })

    test('what follows a body is a request of its own, with credentials of its own', async () => {
      const smuggled = `POST /v1/completions HTTP/1.1\r\nhost: y\r\ncontent-length: 0\r\n\r\n`
      const seen = await rig.seen(async () => {
        const { statuses } = await send(framed('content-length: 2\r\n', `{}${smuggled}`))
        if (rig.lacks('pipelining')) expect(statuses.length).toBeLessThanOrEqual(2)
        else expect(statuses).toEqual([400, 401])
      })
      expect(seen).toBe(0)
    })
  })

  test.each(Object.entries(NOWHERE))('nothing is served at %s', async (_, [bytes, status]) => {
    const seen = await rig.seen(async () => {
      expect((await send(bytes, { once: true })).statuses).toEqual([status])
    })
    expect(seen).toBe(0)
  })

  test.each(rows(SERVED))('%s is served, without a word about what serves', async (_, bytes) => {
    rig.answers(replies(message({ content: 'pong' })))
    const seen = await rig.seen(async () => {
      const { statuses, text } = await send(bytes, { once: true })
      expect(statuses).toEqual([200])
      expect(text).toContain('pong')
      const others = text.replace(/^x-sallyport-token-expires:.*$/im, '')
      expect(others).not.toMatch(/^(server|x-powered-by|via|upgrade):|sallyport|node\.js|\bbun\b|hono/im)
    })
    expect(seen).toBe(1)
  })

  test('a tunnel is none', async () => {
    for (const target of [`127.0.0.1:${rig.upstream.port}`, '/v1/chat/completions']) {
      const { statuses } = await send(`CONNECT ${target} HTTP/1.1\r\nhost: x\r\n\r\n`)
      for (const status of statuses) expect([400, 404, 405]).toContain(status)
    }
  })

  test('who asks before sending is answered before sending', async () => {
    const ask = (more: string) =>
      send(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n${more}content-length: 100\r\nexpect: 100-continue\r\n\r\n`,
        { once: true },
      )
    expect((await ask('')).statuses.at(-1)).toBe(401)
    const other = await send(good('expect: 200-maybe\r\n'), { once: true })
    expect([[417], [200]]).toContainEqual(other.statuses)
  })

  test('a body that nobody reads does not keep a connection', { timeout: 15_000 }, async () => {
    const heads = ['POST /nowhere', 'GET /healthz', 'POST /v1/chat/completions']
    const outcomes = await Promise.all(
      heads.map(head =>
        send(`${head} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n{`, { drip: ' ', forMs: 10_000 }),
      ),
    )
    for (const { closed, tookMs } of outcomes) {
      expect(closed).toBe(true)
      expect(tookMs).toBeLessThan(9000)
    }
  })

  slow(rig)
}

/** Senders that never come to an end, with short limits. */
function slow(rig: Rig): void {
  let gateway: Gateway
  let credentials = ''
  const takesLimits = rig.lacks('serverLimits') === undefined
  beforeAll(async () => {
    const own = { headTimeout: '1s', keepAlive: '1s', connections: 40, requestsPerConnection: 3 }
    gateway = await startGateway({
      runtime: rig.runtime,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${rig.upstream.url}/v1`, kind: 'vllm' }] }],
        limits: { bodyTimeout: '1s', url: 256, headers: 16, ...(takesLimits ? own : {}) },
      },
    })
    credentials = `authorization: Bearer ${await rig.token({}, {}, gateway)}\r\ncontent-type: application/json\r\n`
  })
  afterAll(() => gateway?.stop())

  const drip = async (head: string, piece: string, mostMs: number): Promise<Outcome> => {
    const outcome = await raw(head.replace('{A}', credentials), { gateway, drip: piece, forMs: mostMs + 2000 })
    expect(outcome.closed).toBe(true)
    expect(outcome.tookMs).toBeLessThan(mostMs)
    return outcome
  }

  describe('who sends without end is cut off', () => {
    // Looked at once a second. Bun has a time of its own, which cannot be set: 12 s.
    const headMs = takesLimits ? 4000 : 14_000
    const start = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n'
    test.concurrent.each([
      ['a connection without a word', '', ''],
      ['a first line', 'POST /v1/ch', 'a'],
      ['a field', `${start}x`, 'x'],
      ['fields', start, 'x: y\r\n'],
    ])('head: %s', { timeout: 20_000 }, async (_, head, piece) => {
      const { statuses } = await drip(head, piece, headMs)
      for (const status of statuses) expect([408, 431]).toContain(status)
    })

    test.concurrent.each([
      ['a body', 'content-length: 100000\r\n', '{', ' '],
      ['chunks', 'transfer-encoding: chunked\r\n', '', '1\r\n \r\n'],
      ['a chunk extension', 'transfer-encoding: chunked\r\n', '1;', 'a'],
      ['trailers', 'transfer-encoding: chunked\r\n', '0\r\n', 'x: y\r\n'],
    ])('body: %s', { timeout: 20_000 }, async (_, framing, begin, piece) => {
      const { statuses, text } = await drip(`${start}{A}${framing}\r\n${begin}`, piece, 8000)
      if (statuses[0] === 400) return expect(rig.lacks('trailers')).toBeDefined()
      expect(statuses).toEqual([408])
      expect(text).toContain('request_timeout')
    })

    test
      .runIf(takesLimits)
      .concurrent('an idle connection is closed, and one that has had its requests', { timeout: 15_000 }, async () => {
        const ask = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'
        const [idle, busy] = await Promise.all([
          raw(ask, { gateway, forMs: 5000 }),
          raw(ask.repeat(5), { gateway, forMs: 5000 }),
        ])
        expect([idle.statuses, idle.closed]).toEqual([[200], true])
        expect(busy.statuses.filter(status => status === 200)).toHaveLength(3)
        expect(busy.closed).toBe(true)
      })
  })

  test('limits of URL and fields are those of the configuration', async () => {
    const get = (target: string, fields = 0) =>
      raw(
        `GET ${target} HTTP/1.1\r\nhost: x\r\n${Array.from({ length: fields }, (_, at) => `x-${at}: y\r\n`).join('')}\r\n`,
        { gateway, once: true },
      )
    expect((await get(`/healthz?${'a'.repeat(200)}`, 15)).statuses).toEqual([200])
    expect((await get(`/healthz?${'a'.repeat(250)}`)).statuses).toEqual([414])
    expect((await get('/healthz', 16)).statuses).toEqual([431])
  })

  test.runIf(takesLimits)('connections beyond their number are closed at once; then there is room again', async () => {
    const ask = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
    const held = Array.from({ length: 40 }, () => raw('GET', { gateway, forMs: 900 }))
    await new Promise(resolve => setTimeout(resolve, 300))
    const [refused] = await Promise.all([raw(ask, { gateway }), ...held])
    expect([refused.statuses, refused.closed]).toEqual([[], true])
    expect((await raw(ask, { gateway })).statuses).toEqual([200])
  })

  test('a limit that this runtime cannot keep is not taken', async () => {
    await expect(startWith(rig.runtime, { connections: 10 })).resolves.toBe(
      takesLimits ? 'started' : 'limits.connections',
    )
  })
}

/** Starts a gateway with these limits, as far as it comes. */
async function startWith(runtime: Runtime, limits: object): Promise<string> {
  const models = [{ id: 'm', upstreams: [{ url: 'http://127.0.0.1:9/v1', kind: 'vllm' }] }]
  try {
    await (await startGateway({ runtime, config: { models, limits } })).stop()
    return 'started'
  } catch (error) {
    return /limits\.\w+/.exec(String(error))?.[0] ?? String(error)
  }
}

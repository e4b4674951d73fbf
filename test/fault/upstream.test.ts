import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort, type Gateway, type Runtime, type Script, startGateway, within } from '../support/index.ts'
import { chat, codeOf, readStream } from './support/caller.ts'
import { recordOf, recordsOf, verifyLog } from './support/log.ts'
import { delta, endStream, type ModelServer, modelServer, residentMiB } from './support/model.ts'

const FIRST_BYTE_MS = 600
const IDLE_MS = 600
const TOTAL_MS = 2000
/** What a busy machine may add to a deadline. */
const SLACK_MS = 600
/** Within this the model server must see that nobody wants its answer any more. */
const CANCEL_MS = 250

const SSN = '123-45-6789'
const MIB = 1024 * 1024

describe.each<Runtime>(['node', 'bun'])('a model server in trouble, behind the gateway on %s', runtime => {
  let server: ModelServer
  let gateway: Gateway
  let token: string
  let last = 0

  beforeAll(async () => {
    server = await modelServer()
    const nobody = `http://127.0.0.1:${await freePort()}/v1`
    const upstream = { url: `${server.url}/v1`, kind: 'openai' }
    gateway = await startGateway({
      runtime,
      config: {
        models: [
          { id: 'm', upstreams: [upstream] },
          { id: 'nobody', upstreams: [{ url: nobody, kind: 'openai' }] },
          { id: 'spare', upstreams: [{ url: nobody, kind: 'openai' }, upstream] },
        ],
        timeouts: { firstByte: `${FIRST_BYTE_MS}ms`, idle: `${IDLE_MS}ms`, total: `${TOTAL_MS}ms` },
        guard: { output: { pii: 'redact', secrets: 'redact' } },
      },
    })
    token = await gateway.mint()
  })
  afterAll(async () => {
    await gateway?.stop()
    await server?.stop()
  })

  /** Asks, with the model server following the script; the answer, what the caller could read of it, and its record. */
  async function ask(act: ((script: Script) => unknown) | undefined, { stream = true, model = 'm' } = {}) {
    const id = `${runtime}-${++last}`
    if (act) server.on(id, act)
    const call = chat(gateway, { token, id, prompt: id, stream, model })
    const answer = await within('an answer', 10_000, call.answer)
    return { id, ...answer, record: await recordOf(gateway, id) }
  }

  async function isCancelled(id: string, since: number) {
    const gone = await within(
      'the model server to be left',
      2000,
      server.seen(id)?.gone ?? Promise.reject(new Error('it was never asked')),
    )
    expect(gone - since).toBeLessThan(CANCEL_MS)
  }

  /** Before anything was let out: an error answer and its record. */
  function expectRefused(
    { status, record, ...answer }: Awaited<ReturnType<typeof ask>>,
    expected: { status: number; code: string },
  ) {
    expect({ status, code: codeOf(answer) }).toEqual(expected)
    expect(record).toMatchObject({ outcome: 'failed', status: expected.status, errorCode: expected.code })
    expect(answer.complete).toBe(true)
  }

  /** After something was let out: what was let out, then one error event, no invented ending, and the record. */
  function expectBrokenOff(
    { status, text, complete, record }: Awaited<ReturnType<typeof ask>>,
    expected: { content: string; error: string },
  ) {
    expect(status).toBe(200)
    expect(readStream(text)).toEqual({ ...expected, finish: null, done: false, errors: 1 })
    expect(complete).toBe(true)
    expect(record).toMatchObject({ outcome: 'failed', status: 200, errorCode: expected.error })
  }

  describe('connecting', () => {
    test.each([true, false])('nobody listens (stream: %s)', async stream => {
      const asked = await ask(undefined, { stream, model: 'nobody' })
      expectRefused(asked, { status: 503, code: 'upstream_unavailable' })
      expect(asked.ms).toBeLessThan(SLACK_MS)
    })

    test('nobody listens at the first of two: the other one answers', async () => {
      const { text, record } = await ask(undefined, { model: 'spare' })
      expect(readStream(text)).toMatchObject({ content: 'All is well.', finish: 'stop', done: true })
      expect(record).toMatchObject({ outcome: 'served' })
      expect(record.upstream).toContain(String(server.port))
    })
  })

  describe('silence', () => {
    test.each([true, false])('before the head (stream: %s)', async stream => {
      const asked = await ask(script => script.stall(), { stream })
      const end = performance.now()
      expectRefused(asked, { status: 504, code: 'upstream_timeout' })
      expect(asked.ms).toBeGreaterThan(FIRST_BYTE_MS - 50)
      expect(asked.ms).toBeLessThan(FIRST_BYTE_MS + SLACK_MS)
      await isCancelled(asked.id, end)
    })

    test('between the head and the first byte', async () => {
      const asked = await ask(async script => {
        await script.head()
        await script.stall()
      })
      expectRefused(asked, { status: 504, code: 'upstream_timeout' })
      expect(asked.ms).toBeLessThan(FIRST_BYTE_MS + SLACK_MS)
    })

    test('in the middle of a stream', async () => {
      const asked = await ask(async script => {
        await script.head()
        await script.event(delta('One '))
        await script.event(delta('two '))
        await script.stall()
      })
      const end = performance.now()
      expectBrokenOff(asked, { content: 'One two ', error: 'upstream_timeout' })
      expect(asked.ms).toBeGreaterThan(IDLE_MS - 50)
      expect(asked.ms).toBeLessThan(IDLE_MS + SLACK_MS)
      await isCancelled(asked.id, end)
    })

    test('in the middle of a whole answer', async () => {
      const asked = await ask(
        async script => {
          await script.head(200, { 'content-type': 'application/json' })
          await script.chunk('{"id":')
          await script.stall()
        },
        { stream: false },
      )
      expectRefused(asked, { status: 504, code: 'upstream_timeout' })
      expect(asked.ms).toBeLessThan(IDLE_MS + SLACK_MS)
    })
  })

  describe('never ending', () => {
    test.each([true, false])('at a trickle: the whole has its deadline (stream: %s)', async stream => {
      const asked = await ask(
        async script => {
          await script.head(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' })
          let isLeft = false
          void script.request.gone.then(() => {
            isLeft = true
          })
          while (!isLeft) {
            await (stream ? script.event(delta('on and ')) : script.chunk(' '))
            await script.sleep(100)
          }
        },
        { stream },
      )
      const end = performance.now()
      if (stream) {
        expect(readStream(asked.text)).toMatchObject({ error: 'upstream_timeout', done: false, finish: null })
        expect(asked.record).toMatchObject({ outcome: 'failed', errorCode: 'upstream_timeout' })
      } else {
        expectRefused(asked, { status: 504, code: 'upstream_timeout' })
      }
      expect(asked.ms).toBeGreaterThan(TOTAL_MS - 50)
      expect(asked.ms).toBeLessThan(TOTAL_MS + SLACK_MS)
      await isCancelled(asked.id, end)
    })

    test('at full speed: no more than 32 MiB of a whole answer are held', async () => {
      const before = residentMiB(gateway.pid)
      let sent = 0
      const asked = await ask(
        async script => {
          await script.head(200, { 'content-type': 'application/json' })
          const piece = new Uint8Array(MIB).fill(0x20)
          for (; sent < 256; sent++) await Promise.race([script.chunk(piece), script.request.gone])
        },
        { stream: false },
      )
      expectRefused(asked, { status: 502, code: 'upstream_invalid' })
      expect(residentMiB(gateway.pid) - before).toBeLessThan(160)
    })
  })

  describe('breaking off', () => {
    test.each([
      ['a reset before the head', (script: Script) => script.reset()],
      ['an end before the head', (script: Script) => script.end()],
      [
        'a reset within the head',
        async (script: Script) => {
          await script.raw('HTTP/1.1 200 OK\r\ncontent-ty')
          await script.sleep(30)
          script.reset()
        },
      ],
      [
        'a reset behind the head',
        async (script: Script) => {
          await script.head()
          await script.sleep(30)
          script.reset()
        },
      ],
      [
        'nothing behind the head',
        async (script: Script) => {
          await script.head()
          await script.finish()
        },
      ],
      ['something that is not HTTP', (script: Script) => script.raw('+OK POP3 ready\r\n\r\n')],
    ])('%s', async (_, act) => {
      const asked = await ask(act)
      // Noticed, not waited out: a deadline that passed would be told as 504.
      expectRefused(asked, { status: 502, code: 'upstream_failed' })
    })

    test('a reset behind the first byte', async () => {
      const asked = await ask(async script => {
        await script.head()
        await script.chunk('d')
        await script.sleep(50)
        script.reset()
      })
      expectBrokenOff(asked, { content: '', error: 'upstream_failed' })
    })

    test('a reset between two events', async () => {
      const asked = await ask(async script => {
        await script.head()
        await script.event(delta('One '))
        await script.sleep(50)
        script.reset()
      })
      expectBrokenOff(asked, { content: 'One ', error: 'upstream_failed' })
      expect(asked.record.outputTokens).toBeGreaterThan(0)
    })

    test.each([
      ['the connection ends', (script: Script) => script.end()],
      ['the answer ends properly', (script: Script) => script.finish()],
    ])('half an event, then %s: the half is not let out', async (_, end) => {
      const asked = await ask(async script => {
        await script.head()
        await script.event(delta('One '))
        await script.chunk(`data: ${JSON.stringify(delta('two')).slice(0, -9)}`)
        await script.sleep(50)
        end(script)
      })
      expectBrokenOff(asked, { content: 'One ', error: 'upstream_failed' })
    })

    test('an answer that ends without a finish reason is not taken for whole', async () => {
      const asked = await ask(async script => {
        await script.head()
        await script.event(delta('One '))
        await script.finish()
      })
      expectBrokenOff(asked, { content: 'One ', error: 'upstream_failed' })
    })

    test('what is held back when it breaks off is decided, not forgotten', async () => {
      const asked = await ask(async script => {
        await script.head()
        await script.event(delta(`It is ${SSN}`))
        await script.sleep(50)
        script.reset()
      })
      expectBrokenOff(asked, { content: 'It is [US_SSN_REDACTED]', error: 'upstream_failed' })
    })
  })

  describe('nonsense', () => {
    test('bytes that are not UTF-8 do not hide what stands beside them', async () => {
      const { text } = await ask(async script => {
        await script.head()
        const [front = '', back = ''] = JSON.stringify(delta('SSN @@ 123-45-6789 @@ thanks.')).split(' @@ 123-45-6789')
        const bad = Buffer.from([0x20, 0xff, 0xc3, 0x20])
        await script.chunk(Buffer.concat([Buffer.from(`data: ${front}`), bad, Buffer.from(`${SSN}${back}\n\n`)]))
        // Half a character at the end of one event, its other half never.
        await script.chunk(Buffer.concat([Buffer.from(`data: ${front}`), Buffer.from([0xe2, 0x82])]))
        await script.chunk(`${back}\n\n`)
        await endStream(script)
      })
      expect(text).not.toContain(SSN)
      const { content, error, done } = readStream(text)
      if (error === undefined) expect({ content, done }).toMatchObject({ done: true })
      else expect(error).toBe('upstream_invalid')
    })

    test('a line of more than 1 MiB', async () => {
      const asked = await ask(async script => {
        await script.head()
        await script.event(delta('One '))
        await script.event(delta('x'.repeat(1.5 * MIB)))
        await script.stall()
      })
      const end = performance.now()
      expectBrokenOff(asked, { content: 'One ', error: 'upstream_invalid' })
      await isCancelled(asked.id, end)
    })

    test('a line that never ends takes no memory', async () => {
      const before = residentMiB(gateway.pid)
      let sent = 0
      const asked = await ask(async script => {
        await script.head()
        await script.event(delta('One '))
        await script.chunk('data: "')
        const piece = new Uint8Array(MIB / 4).fill(0x78)
        for (; sent < 512; sent++) await Promise.race([script.chunk(piece), script.request.gone])
      })
      expectBrokenOff(asked, { content: 'One ', error: 'upstream_invalid' })
      expect(asked.ms).toBeLessThan(IDLE_MS + TOTAL_MS)
      expect(residentMiB(gateway.pid) - before).toBeLessThan(64)
    })

    test.each(['null', '', '[]', '7', '"text"', '{"choices":null}', '{"choices":[null]}', '{', 'nul', '{}'])(
      'data: %s',
      async data => {
        const asked = await ask(async script => {
          await script.head()
          await script.event(delta('One '))
          await script.event(data)
          await script.event(delta('two.'))
          await endStream(script)
        })
        const seen = readStream(asked.text)
        // Let through as nothing, or refused; the text around it never gets lost in silence.
        if (seen.error === undefined) expect(seen).toMatchObject({ content: 'One two.', finish: 'stop', done: true })
        else expectBrokenOff(asked, { content: 'One ', error: 'upstream_invalid' })
      },
    )

    test.each([
      ['nothing', ''],
      ['no JSON', '<html>'],
      ['null', 'null'],
      ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
      ['half of it', '{"id":"x","choices":[{"ind'],
    ])('a whole answer of %s', async (_, body) => {
      const asked = await ask(
        async script => {
          await script.head(200, { 'content-type': 'application/json' })
          if (body.length > 0) await script.chunk(body)
          await script.finish()
        },
        { stream: false },
      )
      expectRefused(asked, { status: 502, code: 'upstream_invalid' })
    })

    test('JSON where a stream was asked for', async () => {
      const asked = await ask(script => script.reply(200, { choices: [] }))
      expectRefused(asked, { status: 502, code: 'upstream_invalid' })
    })

    test.each([
      [500, 502, 'upstream_failed'],
      [503, 503, 'upstream_unavailable'],
      [429, 503, 'upstream_busy'],
      [401, 502, 'upstream_failed'],
      [302, 502, 'upstream_failed'],
    ])('an answer %i becomes %i %s, and its words stay inside', async (answered, status, code) => {
      const { text, ...asked } = await ask(script =>
        script.reply(answered, { error: { message: `secret-host:8080 ${SSN}` } }, { location: 'http://127.0.0.1:1/' }),
      )
      expect({ status: asked.status, code: codeOf({ text }) }).toEqual({ status, code })
      expect(text).not.toContain('secret-host')
    })
  })

  test('after all that: it serves, no connection is left behind, and the log is whole', async () => {
    const { text } = await ask(undefined)
    expect(readStream(text)).toMatchObject({ content: 'All is well.', done: true })
    const ids = recordsOf(gateway).map(({ requestId }) => requestId)
    expect(ids.toSorted()).toEqual(Array.from({ length: last }, (_, index) => `${runtime}-${index + 1}`).toSorted())
    expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
    expect(gateway.output()).not.toMatch(/internal_error|unhandled|uncaught/i)
    expect(server.connections()).toBeLessThan(3)
  })
})

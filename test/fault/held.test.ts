import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BREAKER_FAILURES, MAX_HELD_BYTES } from '../../src/config/limits.ts'
import {
  type Gateway,
  type Runtime,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  sleep,
  startGateway,
  waitFor,
  within,
} from '../support/index.ts'
import { chat, codeOf, readStream } from './support/caller.ts'
import { recordOf } from './support/log.ts'
import { delta, endStream, type ModelServer, modelServer } from './support/model.ts'

const MIB = 1024 * 1024
const WORDS = 'some words '.repeat(1500)

describe.each<Runtime>(['node', 'bun'])('answers that validators hold, on %s', runtime => {
  let server: ModelServer
  let judge: ScriptedUpstream
  let gateway: Gateway
  let token: string
  let verdict: (script: Script) => unknown
  let last = 0
  const passes = (script: Script) => script.reply(200, { pass: true })

  beforeAll(async () => {
    server = await modelServer()
    judge = await scriptedUpstream(script => verdict(script))
    const common = { kind: 'http', url: judge.url, on: ['output'], cache: { entries: 0 } }
    gateway = await startGateway({
      runtime,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
        guard: { validators: [{ ...common, name: 'held', timeout: '2s', output: { window: 2000 } }] },
      },
    })
    token = await gateway.mint()
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([server?.stop(), judge?.stop()])
  })

  /** Asks for an answer without an end. `sent`: bytes of text that the gateway has taken of it. */
  function endless(deaf: boolean) {
    const id = `${runtime}-${++last}`
    const taken = { sent: 0 }
    server.on(id, async script => {
      await script.head()
      let isLeft = false
      void script.request.gone.then(() => {
        isLeft = true
      })
      while (!isLeft && taken.sent < 256 * MIB) {
        await Promise.race([script.event(delta(WORDS)), script.request.gone])
        taken.sent += WORDS.length
        await script.sleep(0)
      }
    })
    return { id, taken, call: chat(gateway, { token, id, prompt: id, deaf }) }
  }

  const standstill = async (taken: { sent: number }) => {
    let level = -1
    await waitFor(
      'the model server is held up',
      async () => {
        const stands = taken.sent === level && taken.sent > 0
        level = taken.sent
        await sleep(400)
        return stands
      },
      20_000,
    )
  }

  test('a caller that reads nothing holds up the model server, whatever the verdicts', async () => {
    verdict = passes
    const { id, taken, call } = endless(true)
    await call.head
    await standstill(taken)
    console.log(`${runtime}: deaf caller, held answer: ${(taken.sent / MIB).toFixed(1)} MiB taken`)
    expect(taken.sent).toBeLessThan(64 * MIB)
    call.leave()
    await within('the model server is left', 10_000, server.left(id))
    expect(await recordOf(gateway, id)).toMatchObject({ outcome: 'aborted' })
  })

  test('verdicts that do not come hold it up too, and end the answer at their deadline with nothing let out', async () => {
    verdict = script => script.stall()
    const { id, taken, call } = endless(false)
    const answer = await within('the deadline', 20_000, call.answer)
    // What systems hold for sockets comes to some megabytes on the two connections.
    expect(taken.sent).toBeGreaterThan(MAX_HELD_BYTES)
    expect(taken.sent).toBeLessThan(32 * MIB)
    const heard = answer.status === 200 ? readStream(answer.text) : undefined
    expect(heard?.content ?? '').toBe('')
    expect(heard ? heard.error : codeOf(answer)).toBe('guard_unavailable')
    await within('the model server is left', 10_000, server.left(id))
    expect(await recordOf(gateway, id)).toMatchObject({ outcome: 'failed', errorCode: 'guard_unavailable' })
  })

  test('a validator that fails is left alone, asked once to see, and used again; nothing passes meanwhile', async () => {
    const ask = async () => {
      const id = `${runtime}-${++last}`
      server.on(id, async script => {
        await script.head()
        await script.event(delta('hello'))
        await endStream(script)
      })
      const answer = await chat(gateway, { token, id, prompt: id }).answer
      const heard = readStream(answer.text)
      return heard.error === undefined ? heard.content : [heard.error, heard.content]
    }
    const asked = () => judge.requests.filter(({ method }) => method === 'POST').length
    const CLOSED = ['guard_unavailable', '']
    // The one of the test before counts too.
    verdict = script => script.reply(503, {})
    for (let failure = 0; failure < BREAKER_FAILURES; failure++) expect(await ask()).toEqual(CLOSED)
    const before = asked()
    for (let time = 0; time < 10; time++) expect(await ask()).toEqual(CLOSED)
    const whileOpen = asked() - before
    expect(whileOpen).toBeLessThanOrEqual(1)
    // Asked again after its pause, and in vain: closed to callers still, at once and after that.
    await waitFor(
      'the one that is let through',
      async () => {
        expect(await ask()).toEqual(CLOSED)
        await sleep(100)
        return asked() > before + whileOpen
      },
      20_000,
    )
    const probed = asked()
    expect(await ask()).toEqual(CLOSED)
    expect(asked()).toBe(probed)
    verdict = passes
    await waitFor(
      'it is used again',
      async () => {
        const got = await ask()
        if (got !== 'hello') expect(got).toEqual(CLOSED)
        await sleep(100)
        return got === 'hello'
      },
      20_000,
    )
    const closed = asked()
    for (let time = 0; time < 3; time++) expect(await ask()).toBe('hello')
    expect(asked()).toBe(closed + 3)
  })
})

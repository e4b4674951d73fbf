import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { sallyport, waitFor, within } from '../support/index.ts'
import { captured, cut, delta, hear } from './events.ts'
import { chat, chunks, type Reply, type Rig, replies, type Values } from './rig.ts'

/** What is promised, from the end of the command to the last of the requests that it concerns. */
const IN_FORCE_MS = 1000
const CUT_MS = 2000

const seconds = () => Math.floor(Date.now() / 1000)

export function revocation(rig: Rig): void {
  /** Models may be listed with any token that is good: no model server is asked. */
  const listed = (token: string) => rig.send(undefined, { token, path: '/v1/models', method: 'GET' })
  const revoke = async (...args: string[]) => {
    const result = await sallyport(['token', 'revoke', ...args], { cwd: rig.gateway.dir, runtime: rig.runtime })
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('revoked: ') })
    expect(result.stderr).not.toMatch(/warning/i)
  }
  const refusedSoon = (token: string) =>
    waitFor(
      'the token to be refused',
      async () => {
        const reply = await listed(token)
        return reply.status === 401 ? reply : undefined
      },
      IN_FORCE_MS,
    )

  describe('tokens are refused within a second', () => {
    const anHourAgo = () => ({ iat: seconds() - 3600, nbf: seconds() - 3600 })
    const before = () => new Date(Date.now() - 1_800_000).toISOString()

    test.each<[string, Values, (id: string) => string[], Record<string, Values>]>([
      ['by its id', { team: 'rev-1' }, id => [id], { 'another of its team': { team: 'rev-1' } }],
      [
        'by its application in all teams',
        { team: 'rev-2', app: 'rev-app' },
        () => ['--app', 'rev-app'],
        { 'another application of its team': { team: 'rev-2' } },
      ],
      [
        'by its application in one team',
        { team: 'rev-3', app: 'rev-app-3' },
        () => ['--app', 'rev-app-3', '--team', 'rev-3'],
        {
          'the application in another team': { team: 'rev-4', app: 'rev-app-3' },
          'another application of its team': { team: 'rev-3' },
        },
      ],
      ['by its team', { team: 'rev-5' }, () => ['--team', 'rev-5'], { 'another team': { team: 'rev-6' } }],
      [
        'by when it was issued',
        { team: 'rev-7', ...anHourAgo() },
        () => ['--team', 'rev-7', '--issued-before', before()],
        { 'one that was issued later': { team: 'rev-7' } },
      ],
      [
        'with all that were issued before',
        { team: 'rev-8', ...anHourAgo() },
        () => ['--all', '--issued-before', before()],
        { 'one that was issued later': { team: 'rev-8' } },
      ],
    ])('%s', async (_, claims, args, others) => {
      const tokenId = randomUUID()
      const token = await rig.token({ jti: tokenId, ...claims })
      const kept = await Promise.all(Object.values(others).map(other => rig.token(other)))
      for (const each of [token, ...kept]) expect((await listed(each)).status).toBe(200)
      await revoke(...args(tokenId))
      const refused = await refusedSoon(token)
      for (const each of kept) expect((await listed(each)).status).toBe(200)

      const unknown = await listed('sk-something-from-elsewhere')
      expect(refused.json()).toEqual(unknown.json())
      expect(shape(refused)).toEqual(shape(unknown))
      expect(await rig.record(refused)).toMatchObject({
        outcome: 'refused',
        errorCode: 'invalid_token',
        reason: 'revoked',
        tokenId,
        team: claims['team'],
      })
      // One that the gateway has not seen before.
      const fresh = await rig.token({
        ...claims,
        jti: args(tokenId)[0] === tokenId ? tokenId : randomUUID(),
        note: 'x',
      })
      if (claims['iat'] !== undefined || args(tokenId)[0] === tokenId) expect((await listed(fresh)).status).toBe(401)
    })

    test('a new token of the team works', async () => {
      await revoke('--team', 'rev-9')
      const token = await rig.gateway.mint({ team: 'rev-9' })
      expect((await listed(token)).status).toBe(200)
    })
  })

  describe('answers on their way are cut within two seconds', () => {
    const chatBegun = [delta({ role: 'assistant', content: '' }), delta({ content: 'Once upon a time there was ' })]
    test.each<[string, string, readonly (string | Uint8Array)[], Values]>([
      ['a chat', '/v1/chat/completions', chatBegun, {}],
      ['messages', '/v1/messages', cut(captured('messages-stream'), 400).slice(0, 3), { max_tokens: 50 }],
      [
        'responses',
        '/v1/responses',
        cut(captured('responses-stream'), 400).slice(0, 5),
        { messages: undefined, input: 'hi' },
      ],
    ])('%s that streams', async (name, path, begun, fields) => {
      const team = `cut-${name.replace(' ', '-')}`
      const token = await rig.token({ team })
      let gone: Promise<number> | undefined
      rig.answers(async script => {
        ;({ gone } = script.request)
        await script.head()
        for (const piece of begun) await script.chunk(piece)
        await script.stall()
      })
      const response = await rig.fetch({ ...chat(), stream: true, ...fields }, { token, path })
      expect(response.status).toBe(200)
      const text = response.text()
      await revoke('--team', team)
      const seen = await within('the end of the stream', CUT_MS, text)
      expect(seen).not.toContain('[DONE]')
      expect(seen).not.toMatch(/"finish_reason":"(?!null)|message_stop|response\.completed/)
      expect(seen).toContain('invalid_token')
      if (path.endsWith('/completions')) {
        const heard = hear(seen)
        expect(heard.errors).toEqual([expect.objectContaining({ code: 'invalid_token' })])
        expect(heard.done).toBe(false)
      }
      await within('the model server is left', CUT_MS, gone ?? Promise.reject(new Error('it was never asked')))
      expect(await rig.record({ headers: response.headers })).toMatchObject({
        outcome: 'refused',
        status: 200,
        errorCode: 'invalid_token',
        reason: 'revoked',
        team,
      })
    })

    test.each([false, true])('one that has not begun (stream: %s)', async stream => {
      const team = `wait-${stream}`
      const token = await rig.token({ team })
      let gone: Promise<number> | undefined
      rig.answers(async script => {
        ;({ gone } = script.request)
        await script.stall()
      })
      const reply = rig.send({ ...chat(), stream }, { token })
      await waitFor('the model server to be asked', () => gone !== undefined)
      await revoke('--team', team)
      const { status, json } = await within('the refusal', CUT_MS, reply)
      expect([status, json()['error'].code]).toEqual([401, 'invalid_token'])
      await within('the model server is left', CUT_MS, gone ?? Promise.reject(new Error('it was never asked')))
      expect(await rig.record(await reply)).toMatchObject({ outcome: 'refused', status: 401, reason: 'revoked', team })
    })

    test('one whose request has not arrived', async () => {
      const token = await rig.token({ team: 'slow-sender' })
      let end: () => void = () => undefined
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(Buffer.from('{"model":"m",'))
          end = () => {
            controller.enqueue(Buffer.from('"messages":[{"role":"user","content":"hi"}]}'))
            controller.close()
          }
        },
      })
      expect((await listed(token)).status).toBe(200)
      const seen = await rig.seen(async () => {
        const reply = rig.send(body, { token })
        await new Promise(resolve => setTimeout(resolve, 200))
        await revoke('--team', 'slow-sender')
        await refusedSoon(token)
        end()
        expect((await reply).status).toBe(401)
      })
      expect(seen).toBe(0)
    })

    test('others go on to their end', async () => {
      rig.answers(chunks([...chatBegun, ...Array.from({ length: 20 }, () => delta({ content: 'more ' }))]))
      rig.answers(async script => {
        await script.head()
        for (const piece of chatBegun) await script.chunk(piece)
        await script.sleep(1500)
        await script.chunk(delta({ content: 'the end.' }, 'stop'))
        await script.chunk('data: [DONE]\n\n')
        await script.finish()
      })
      const reply = rig.send({ ...chat(), stream: true }, { claims: { team: 'bystander' } })
      await revoke('--team', 'nobody-in-particular')
      const heard = hear((await reply).text)
      expect(heard).toMatchObject({ done: true, errors: [] })
      expect(heard.text()).toBe('Once upon a time there was the end.')
    })
  })

  describe('who has a token that is about to expire is told', () => {
    const NAME = 'x-sallyport-token-expires'

    test('in every answer', async () => {
      const exp = seconds() + 3 * 86_400
      const token = await rig.token({ exp })
      rig.answers(replies({ choices: [] }))
      const stream = await rig.stream([delta({ content: 'x' }, 'stop'), 'data: [DONE]\n\n'], {}, { token })
      for (const reply of [
        await rig.send(chat(), { token }),
        stream,
        await listed(token),
        await rig.send({}, { token }),
      ]) {
        expect(reply.headers.get(NAME)).toBe(new Date(exp * 1000).toISOString())
      }
      const lines = rig.gateway
        .output()
        .split('\n')
        .filter(line => line.includes('token_expires_soon'))
      expect(lines.filter(line => line.includes(new Date(exp * 1000).toISOString()))).toHaveLength(1)
    })

    test('and nobody else', async () => {
      const reply = await listed(await rig.token({ exp: seconds() + 8 * 86_400 }))
      expect([reply.status, reply.headers.has(NAME)]).toEqual([200, false])
    })
  })
}

/** What a caller sees of an answer, but for what is of this one answer alone. */
function shape({ status, headers }: Reply) {
  const changing = new Set(['date', 'x-request-id'])
  return { status, headers: [...headers].filter(([name]) => !changing.has(name)) }
}

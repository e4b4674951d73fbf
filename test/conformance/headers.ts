import { expect, test } from 'vitest'
import { DONE, delta, message } from './events.ts'
import { chat, type Rig, replies, UPSTREAM_KEY } from './rig.ts'

/** Headers by which a caller could steer the model server, or that are none of its business. */
const CALLERS_OWN = {
  cookie: 'session=secret-cookie',
  'x-api-key': 'secret-api-key',
  'proxy-authorization': 'Basic secret',
  'x-conversation-id': 'secret-conversation',
  'x-vllm-priority': '-1',
  'x-session-id': 'secret-session',
  'x-data-parallel-rank': '0',
  'x-forwarded-for': '203.0.113.7',
  forwarded: 'for=203.0.113.7',
  origin: 'https://secret-origin.example',
  te: 'trailers',
  'openai-organization': 'secret-organisation',
  'x-anything': 'secret-anything',
}

const SERVERS_OWN = {
  server: 'llama.cpp',
  'set-cookie': 'secret=1',
  'access-control-allow-origin': '*',
  'x-request-id': 'req-upstream',
  'x-ratelimit-remaining-tokens': '1',
  'retry-after': '7',
  location: 'http://internal.example',
  'x-should-retry': 'true',
  'content-encoding': 'identity',
  'x-internal': 'secret-internal',
  'www-authenticate': 'Basic',
}

export function headers(rig: Rig): void {
  test('the model server gets its own key, and nothing of the caller', async () => {
    const token = await rig.token()
    for (const stream of [false, true]) {
      await rig.chat(replies(message({ content: 'ok' })), { stream }, { token, headers: CALLERS_OWN })
      const sent = rig.last().headers
      expect(sent.authorization).toBe(`Bearer ${UPSTREAM_KEY}`)
      expect(sent['content-type']).toBe('application/json')
      expect(sent.host).toBe(`127.0.0.1:${rig.upstream.port}`)
      for (const name of Object.keys(CALLERS_OWN)) {
        expect(sent).not.toHaveProperty(name)
      }
      expect(JSON.stringify(sent)).not.toContain('secret')
      expect(JSON.stringify(sent)).not.toContain(token)
      expect(sent['accept-encoding'] ?? 'identity').toBe('identity')
    }
  })

  test('queries go nowhere', async () => {
    await rig.chat(replies(message({ content: 'ok' })), {}, { path: '/v1/chat/completions?autoload=1&x=y' })
    expect(rig.last().path).toBe('/v1/chat/completions')
  })

  test('the caller gets nothing of the model server’s headers', async () => {
    const whole = await rig.chat(replies(message({ content: 'ok' }), 200, SERVERS_OWN))
    const stream = await rig.stream(async script => {
      await script.head(200, { 'content-type': 'text/event-stream', ...SERVERS_OWN })
      await script.chunk(delta({ content: 'ok' }, 'stop') + DONE)
      await script.finish()
    })
    for (const reply of [whole, stream]) {
      expect(reply.status).toBe(200)
      const got = Object.fromEntries(reply.headers)
      for (const [name, value] of Object.entries(SERVERS_OWN)) expect(got[name]).not.toBe(value)
      for (const name of ['server', 'set-cookie', 'access-control-allow-origin', 'location', 'x-internal']) {
        expect(got).not.toHaveProperty(name)
      }
      expect(got['x-request-id']).toMatch(/^req_/)
      expect(got['x-ratelimit-limit-tokens']).toBe('10000000')
      expect(Number(got['x-ratelimit-remaining-tokens'])).toBeGreaterThan(1_000_000)
      expect(got['x-ratelimit-reset-tokens']).toMatch(/^[\d.]+(ms|s|m|h)/)
      expect(got['x-ratelimit-limit-requests']).toBe('100000')
      expect(Number(got['x-ratelimit-remaining-requests'])).toBeLessThan(100_000)
    }
    expect(whole.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(stream.headers.get('cache-control')).toContain('no-cache')
  })

  test('the system prompt of a model stands in front, and the answer’s length is bounded', async () => {
    const answer = replies(message({ content: 'ok' }))
    const own = { role: 'system', content: 'Be brief.' }
    await rig.chat(answer, { model: 'guided', messages: [own, ...chat().messages] })
    const first = rig.lastBody()['messages'][0]
    expect(first).toEqual({ role: 'system', content: 'You are the company assistant.' })
    expect(rig.lastBody()['messages']).toHaveLength(3)
    await rig.chat(answer, { model: 'short' })
    expect(rig.lastBody()['max_tokens']).toBe(5)
    await rig.chat(answer, { model: 'short', max_tokens: 3, max_completion_tokens: 900 })
    expect(rig.lastBody()).toMatchObject({ max_tokens: 3, max_completion_tokens: 5 })
  })

  test('a limit that is used up says when to come back; repeating a request id does not get round it', async () => {
    const token = await rig.token({ team: 'few' })
    rig.answers(replies(message({ content: 'ok' })))
    const statuses: number[] = []
    for (let request = 0; request < 4; request++) {
      const reply = await rig.send(chat(), { token, headers: { 'x-request-id': 'always-the-same' } })
      statuses.push(reply.status)
      if (reply.status !== 429) continue
      expect(reply.json()['error']).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' })
      expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
      expect(Number(reply.headers.get('retry-after-ms'))).toBeGreaterThan(0)
      expect(reply.headers.get('x-ratelimit-remaining-requests')).toBe('0')
      expect(reply.headers.get('x-should-retry')).toBeNull()
    }
    expect(statuses).toEqual([200, 200, 429, 429])
  })
}

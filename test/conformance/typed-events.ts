import { describe, expect, test } from 'vitest'
import { within } from '../support/index.ts'
import { captured, cut, event, type Json } from './events.ts'
import { INTERNAL, PROMPT, type Rig, replies, type SendOptions } from './rig.ts'

const SSN = '123-45-6789'
const RAW = /123-45-6789|bob@example\.com|4111 1111|marzipan-internal/

type Events = readonly Json[]

interface Wire {
  readonly path: string
  readonly fields: Record<string, unknown>
  /** A whole stream that says these pieces. */
  says(...pieces: string[]): Events
  /** How many of its events come before the end of the text. */
  readonly tail: number
  whole(text: string): Json
  textOf(answer: Json): string
  readonly deltas: { type: string; text(event: Json): string }
  readonly names: { cut: string; failed: string }
}

const item = (text: string) => ({
  id: 'm1',
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text }],
})

const RESPONSES: Wire = {
  path: '/v1/responses',
  fields: { messages: undefined, input: PROMPT },
  says(...pieces) {
    const at = { item_id: 'm1', output_index: 0, content_index: 0 }
    const text = pieces.join('')
    const answer = { id: 'r1', object: 'response', model: 'm', created_at: 1 }
    return [
      { type: 'response.created', response: { ...answer, status: 'in_progress', output: [] } },
      { type: 'response.output_item.added', output_index: 0, item: { ...item(''), content: [] } },
      { type: 'response.content_part.added', ...at, part: { type: 'output_text', text: '' } },
      ...pieces.map(delta => ({ type: 'response.output_text.delta', ...at, delta })),
      { type: 'response.output_text.done', ...at, text },
      { type: 'response.content_part.done', ...at, part: { type: 'output_text', text } },
      { type: 'response.output_item.done', output_index: 0, item: item(text) },
      {
        type: 'response.completed',
        response: {
          ...answer,
          status: 'completed',
          output: [item(text)],
          usage: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
        },
      },
    ].map((one, sequence_number) => ({ ...one, sequence_number }))
  },
  tail: 4,
  whole: text => ({
    id: 'r1',
    object: 'response',
    status: 'completed',
    output: [item(text)],
    usage: { input_tokens: 11, output_tokens: 7 },
  }),
  textOf: answer => answer['output'][0].content[0].text,
  deltas: { type: 'response.output_text.delta', text: event => event['delta'] },
  names: { cut: 'response.incomplete', failed: 'response.failed' },
}

const MESSAGES: Wire = {
  path: '/v1/messages',
  fields: { max_tokens: 100 },
  says(...pieces) {
    const message = { id: 'a1', type: 'message', role: 'assistant', model: 'm', content: [] }
    return [
      { type: 'message_start', message: { ...message, usage: { input_tokens: 11, output_tokens: 0 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      ...pieces.map(text => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 7 } },
      { type: 'message_stop' },
    ]
  },
  tail: 3,
  whole: text => ({
    id: 'a1',
    type: 'message',
    role: 'assistant',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 11, output_tokens: 7 },
  }),
  textOf: answer => answer['content'][0].text,
  deltas: { type: 'content_block_delta', text: event => event['delta'].text ?? '' },
  names: { cut: 'message_stop', failed: 'error' },
}

const written = (events: Events) => events.map(one => `event: ${one['type']}\n${event(one)}`)

/** The events that a caller hears, each under its name. */
function heard(text: string): Json[] {
  return text.split('\n\n').flatMap(frame => {
    const data = /^data: (.*)$/m.exec(frame)?.[1]
    if (data === undefined) return []
    const one = JSON.parse(data) as Json
    expect(/^event: (.*)$/m.exec(frame)?.[1]).toBe(one['type'])
    return [one]
  })
}

export function typedEvents(rig: Rig): void {
  describe.each([
    ['responses', RESPONSES],
    ['messages', MESSAGES],
  ] as const)('%s', (name, wire) => {
    const said = (events: Json[]) =>
      events.flatMap(one => (one['type'] === wire.deltas.type ? [wire.deltas.text(one)] : [])).join('')
    const options = (more: SendOptions = {}): SendOptions => ({ path: wire.path, ...more })
    const stream = (chunks: readonly (string | Uint8Array)[], fields = {}, more: SendOptions = {}) =>
      rig.stream(chunks, { ...wire.fields, ...fields }, options(more))

    test('is streamed redacted, whatever the chunks, with its record', async () => {
      const body = written(wire.says('SSN 123-', '45-67', '89 and bob@exa', 'mple.com.')).join('')
      for (const size of [1, 64, body.length]) {
        const reply = await stream(cut(body, size))
        expect(reply.text).not.toMatch(RAW)
        expect(said(heard(reply.text))).toBe('SSN [US_SSN_REDACTED] and [EMAIL_REDACTED].')
        const counts = { inputTokens: 11, outputTokens: 7, tokenSource: 'upstream' }
        const record = await rig.record(reply)
        expect(record).toMatchObject({ outcome: 'served', status: 200, route: wire.path, stream: true, ...counts })
        expect(record['guard']).toContainEqual({ stage: 'output', rule: 'US_SSN', action: 'redact', count: 1 })
        expect(record['promptHmac']).toMatch(/^[0-9a-f]{64}$/)
        expect(record['outputSnippet']).toBe('SSN [US_SSN_REDACTED] and [EMAIL_REDACTED].')
      }
    })

    test('passes byte for byte where nothing is found', async () => {
      const body = written(wire.says('One. ', 'Two. ')).join('')
      if (name === 'messages') expect((await stream([body])).text).toBe(body)
      else expect(heard((await stream([body])).text)).toEqual(wire.says('One. ', 'Two. '))
    })

    test('whole answers', async () => {
      const reply = await rig.chat(replies(wire.whole(`It is ${SSN}`)), wire.fields, options())
      expect([reply.status, wire.textOf(reply.json())]).toEqual([200, 'It is [US_SSN_REDACTED]'])
      expect(await rig.record(reply)).toMatchObject({ inputTokens: 11, outputTokens: 7, tokenSource: 'upstream' })
    })

    test('is cut by characters, and frees the model server', async () => {
      const events = wire.says(...Array.from({ length: 50 }, (_, at) => `n${at} `)).slice(0, -wire.tail)
      const reply = await rig.chat(
        async script => {
          await script.head()
          for (const one of written(events)) await script.chunk(one)
          await script.stall()
        },
        { stream: true, ...wire.fields },
        options({ claims: { team: 'brief' } }),
      )
      const all = heard(reply.text)
      expect(said(all)).toHaveLength(20)
      expect(all.at(-1)?.['type']).toBe(wire.names.cut)
      if (name === 'responses') {
        expect(all.at(-1)).toMatchObject({
          response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
        })
        expect(wire.textOf(all.at(-1)?.['response'])).toBe(said(all))
      } else {
        expect(all.slice(-3)).toMatchObject([
          { type: 'content_block_stop', index: 0 },
          { type: 'message_delta', delta: { stop_reason: 'max_tokens' } },
          { type: 'message_stop' },
        ])
      }
      await within('the end of the upstream request', 2000, rig.last().gone)
      expect(await rig.record(reply)).toMatchObject({ outcome: 'served', reason: 'cut:length' })
    })

    test('is cut by the model’s bound of tokens, which the model server is told', async () => {
      const events = wire.says(...Array.from({ length: 20 }, (_, at) => `n${at} `))
      const reply = await stream(written(events), { model: 'short' })
      expect(said(heard(reply.text)).split(' ').length).toBeLessThan(9)
      expect(heard(reply.text).at(-1)?.['type']).toBe(wire.names.cut)
      expect(rig.lastBody()[name === 'responses' ? 'max_output_tokens' : 'max_tokens']).toBe(5)
    })

    test('a match that blocks ends it in good order; a whole answer is refused', async () => {
      const strict = { claims: { team: 'strict' } }
      const reply = await stream(written(wire.says('Hello, ', SSN, ' and more')), {}, strict)
      const all = heard(reply.text)
      expect([said(all), all.at(-1)?.['type']]).toEqual(['Hello, ', wire.names.cut])
      expect(reply.text).not.toMatch(/123-|6789/)
      expect(reply.text).toContain(name === 'responses' ? '"reason":"content_filter"' : '"stop_reason":"refusal"')
      expect(await rig.record(reply)).toMatchObject({ outcome: 'served', reason: 'cut:content_filter' })
      const whole = await rig.chat(replies(wire.whole(SSN)), wire.fields, options(strict))
      expect([whole.status, whole.json()['error'].code]).toEqual([400, 'guard_output_blocked'])
    })

    test('a match that blocks ends it with an error, where policy says so', async () => {
      const halting = { claims: { team: 'halting' } }
      const reply = await stream(written(wire.says('Hello, ', SSN, ' and more')), {}, halting)
      const all = heard(reply.text)
      expect([said(all), all.at(-1)?.['type']]).toEqual(['Hello, ', name === 'responses' ? 'response.failed' : 'error'])
      expect(reply.text).not.toMatch(/123-|6789/)
      expect(reply.text).toContain('The answer was withheld')
      expect(await rig.record(reply)).toMatchObject({ outcome: 'refused', errorCode: 'guard_output_blocked' })
    })

    test.each(['reset', 'close', 'end', 'error', 'half', 'no JSON'])('the model server’s death: %s', async how => {
      const begun = written(wire.says('Write to bob@exa')).slice(0, -wire.tail)
      const reply = await rig.chat(
        async script => {
          await script.head()
          for (const one of begun) await script.chunk(one)
          await script.sleep(50)
          if (how === 'reset') script.reset()
          else if (how === 'close') script.end()
          else {
            const message = `${INTERNAL} ${SSN}`
            if (how === 'error') await script.chunk(`event: error\ndata: ${JSON.stringify({ error: { message } })}\n\n`)
            if (how === 'half') await script.chunk('event: x\ndata: {"type":"x"')
            if (how === 'no JSON') await script.chunk(`data: {"type":"${wire.deltas.type}",}\n\n`)
            await script.finish()
          }
        },
        { stream: true, ...wire.fields },
        options(),
      )
      const all = heard(reply.text)
      expect(reply.text).not.toMatch(RAW)
      // An address cut in half is no address.
      expect(said(all)).toBe('Write to bob@exa')
      const code = how === 'no JSON' ? 'upstream_invalid' : 'upstream_failed'
      const last = all.at(-1)
      expect(last?.['type']).toBe(wire.names.failed)
      expect((last?.['response'] ?? last)?.['error']).toMatchObject({ code })
      if (name === 'responses') {
        expect(last?.['response'].status).toBe('failed')
      }
      expect(await rig.record(reply)).toMatchObject({ outcome: 'failed', errorCode: code })
    })

    test('a caller who leaves frees the model server', async () => {
      rig.answers(async script => {
        await script.head()
        for (const one of written(wire.says('a. ')).slice(0, 3)) await script.chunk(one)
        await script.stall()
      })
      const body = { model: 'm', messages: [{ role: 'user', content: PROMPT }], ...wire.fields, stream: true }
      const response = await rig.fetch(body, options())
      const reader = response.body?.getReader()
      await reader?.read()
      await reader?.cancel()
      await within('the end of the upstream request', 2000, rig.last().gone)
      expect(await rig.record(response)).toMatchObject({ outcome: 'aborted', route: wire.path })
    })

    test('errors have the form of the wire', async () => {
      const shape = name === 'messages' ? { type: 'error' } : {}
      const unknown = await rig.chat(replies({}), { ...wire.fields, surprise: 1 }, options())
      expect([unknown.status, unknown.json()]).toMatchObject([
        400,
        { ...shape, error: { code: 'unknown_field', param: 'surprise', type: 'invalid_request_error' } },
      ])
      const missing = await rig.send({ model: 'm' }, options())
      expect([missing.status, missing.json()]).toMatchObject([400, { ...shape, error: { code: 'missing_field' } }])
      const stranger = await rig.send({ model: 'm', ...wire.fields }, options({ token: 'x.y.z' }))
      expect([stranger.status, stranger.json()]).toMatchObject([401, { ...shape, error: { code: 'invalid_token' } }])
      const down = await rig.chat(replies({ error: { message: INTERNAL } }, 500), wire.fields, options())
      expect([down.status, down.json()]).toMatchObject([502, { ...shape, error: { code: 'upstream_failed' } }])
      expect(down.text).not.toContain('marzipan')
      const get = await rig.send(undefined, options({ method: 'GET' }))
      expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
    })

    test('a stop that is told is text, and so are fields that nobody has described', async () => {
      const events = wire.says('x. ').map(one => ({ ...one, note: SSN }))
      const last = events.findIndex(({ type }) => type === 'message_delta')
      if (last >= 0) events[last] = { ...events[last], delta: { stop_reason: 'stop_sequence', stop_sequence: SSN } }
      const reply = await stream(written(events))
      expect(reply.text).not.toMatch(RAW)
      if (last >= 0) expect(reply.text).toContain('"stop_sequence":"[US_SSN_REDACTED]"')
      expect(said(heard(reply.text))).toBe('x. ')
    })
  })

  describe('the credential of messages', () => {
    const send = (headers: Record<string, string>, path = '/v1/messages') => {
      rig.answers(replies(MESSAGES.whole('x')))
      const fields = path === '/v1/responses' ? RESPONSES.fields : { messages: [{ role: 'user', content: 'x' }] }
      return rig.send({ model: 'm', max_tokens: 9, ...fields }, { path, token: null, headers })
    }

    test('may stand in x-api-key, and goes no further', async () => {
      const token = await rig.token()
      const reply = await send({ 'x-api-key': token })
      expect(reply.status).toBe(200)
      expect(JSON.stringify(rig.last().headers)).not.toContain(token)
      expect((await send({ 'x-api-key': 'x.y.z' })).status).toBe(401)
    })

    test('may not stand there on other wires', async () => {
      expect((await send({ 'x-api-key': await rig.token() }, '/v1/responses')).status).toBe(401)
    })
  })

  describe('count_tokens', () => {
    const options = { path: '/v1/messages/count_tokens' }

    test('tells a number, and costs none', async () => {
      const reply = await rig.chat(replies({ input_tokens: 17 }), {}, options)
      expect([reply.status, reply.json()]).toEqual([200, { input_tokens: 17 }])
      expect(rig.last().path).toBe('/v1/messages/count_tokens')
      expect(await rig.record(reply)).toMatchObject({ outcome: 'served', route: options.path, outputTokens: 0 })
    })

    test('looks at its texts, and takes no other fields', async () => {
      const blocked = await rig.chat(replies({}), { system: SSN }, { ...options, claims: { team: 'strict' } })
      expect([blocked.status, blocked.json()]).toMatchObject([400, { type: 'error', error: { code: 'guard_pii' } }])
      const unknown = await rig.chat(replies({}), { max_tokens: 9 }, options)
      expect([unknown.status, unknown.json()]).toMatchObject([400, { error: { param: 'max_tokens' } }])
    })
  })

  describe('rerank', () => {
    const options = { path: '/v1/rerank' }
    const fields = { messages: undefined, query: PROMPT, documents: ['a', { text: 'b' }] }
    const scores = { model: 'm', usage: { prompt_tokens: 5, total_tokens: 5 } }

    test('gives scores, and documents redacted', async () => {
      const results = [{ index: 1, relevance_score: 0.5, document: { text: SSN } }]
      const reply = await rig.chat(replies({ ...scores, results }), fields, options)
      expect(reply.status).toBe(200)
      expect(reply.json()['results']).toEqual([
        { index: 1, relevance_score: 0.5, document: { text: '[US_SSN_REDACTED]' } },
      ])
      expect(await rig.record(reply)).toMatchObject({ outcome: 'served', inputTokens: 5, route: options.path })
    })

    test('looks at the query and at every document', async () => {
      const strict = { ...options, claims: { team: 'strict' } }
      const reply = await rig.chat(replies({}), { ...fields, documents: ['a', { text: SSN }] }, strict)
      expect([reply.status, reply.json()['error']]).toMatchObject([
        400,
        { code: 'guard_pii', param: 'documents[1].text' },
      ])
      const unknown = await rig.chat(replies({}), { ...fields, surprise: 1 }, options)
      expect([unknown.status, unknown.json()['error'].param]).toEqual([400, 'surprise'])
    })
  })

  test('what a real server sent, through the whole gateway', async () => {
    for (const name of ['responses-stream-tool', 'responses-stream-reasoning', 'messages-stream-tool']) {
      const wire = name.startsWith('messages') ? MESSAGES : RESPONSES
      const body = captured(name)
      const first = await rig.stream([body], wire.fields, { path: wire.path })
      expect(first.text).not.toMatch(RAW)
      expect(heard(first.text).length).toBeGreaterThan(5)
      const again = await rig.stream(cut(body, 97), wire.fields, { path: wire.path })
      expect(again.text).toBe(first.text)
    }
  })
}

import { describe, expect, test } from 'vitest'
import { within } from '../support/index.ts'
import { DONE, delta, event, hear, message, piece, says, USAGE, usageEvent } from './events.ts'
import { chunks, INTERNAL, type Rig, replies } from './rig.ts'

const SSN = '123-45-6789'
const call = (index: number, args: string, more: object = {}) => ({
  tool_calls: [{ index, ...more, function: { arguments: args, ...('name' in more ? { name: more.name } : {}) } }],
})

export function answers(rig: Rig): void {
  describe('channels of a stream', () => {
    test('each is guarded by itself, and all are', async () => {
      const reply = await rig.stream([
        delta({ role: 'assistant', content: null }),
        delta({ reasoning_content: 'It is 123-' }),
        delta({ content: 'SSN 12' }),
        delta({ reasoning: 'Or 123-4' }),
        delta({ reasoning_content: '45-6789. ' }),
        delta({ reasoning: '5-6789. ' }),
        delta({ refusal: `No ${SSN}` }),
        delta({ content: '3-45-6789' }),
        delta({ content: null, reasoning_content: null, tool_calls: [] }, 'stop'),
        usageEvent(),
        DONE,
      ])
      const heard = hear(reply.text)
      expect(heard.text('content')).toBe('SSN [US_SSN_REDACTED]')
      expect(heard.text('reasoning_content')).toBe('It is [US_SSN_REDACTED]. ')
      expect(heard.text('reasoning')).toBe('Or [US_SSN_REDACTED]. ')
      expect(heard.text('refusal')).toBe('No [US_SSN_REDACTED]')
      expect([heard.finish, heard.done]).toEqual([['stop'], true])
    })

    test('two choices, cut differently, do not mix', async () => {
      const reply = await rig.stream(
        [
          delta({ content: 'a 123-45-' }, null, 0),
          delta({ content: 'b 123-' }, null, 1),
          delta({ content: '6789' }, 'stop', 0),
          delta({ content: '45-6789 end' }, 'length', 1),
          DONE,
        ],
        { n: 2 },
      )
      const heard = hear(reply.text)
      expect(heard.text('content', 0)).toBe('a [US_SSN_REDACTED]')
      expect(heard.text('content', 1)).toBe('b [US_SSN_REDACTED] end')
      expect(heard.finish).toEqual(['stop', 'length'])
    })

    test.each([
      ['with an empty delta', delta({}, 'tool_calls')],
      ['with no delta', event({ choices: [{ index: 0, finish_reason: 'tool_calls' }] })],
      ['as vLLM ends', delta({ content: '', tool_calls: [] }, 'tool_calls')],
      ['with the last piece', delta(call(1, '6789"}'), 'tool_calls')],
    ])('tool calls come redacted, whole, and as JSON; an end %s', async (name, end) => {
      const last = name === 'with the last piece' ? [] : [delta(call(1, '6789"}'))]
      const reply = await rig.stream([
        delta({ role: 'assistant', content: null }),
        delta(call(0, '', { id: 'call_1', type: 'function', name: 'look' })),
        delta(call(0, '{"to": "bob\\u0040exam')),
        delta(call(1, '{"ssn":', { id: 'call_2', type: 'function', name: 'find' })),
        delta(call(0, 'ple.com", "n":\n 3}')),
        delta(call(1, ' "123-45-')),
        ...last,
        end,
        DONE,
      ])
      const heard = hear(reply.text)
      expect(JSON.parse(heard.call(0))).toEqual({ to: '[EMAIL_REDACTED]', n: 3 })
      expect(JSON.parse(heard.call(1))).toEqual({ ssn: '[US_SSN_REDACTED]' })
      expect([heard.finish, heard.done]).toEqual([['tool_calls'], true])
      // Nothing of the arguments before the verdict.
      const [before = ''] = reply.text.split('REDACTED')
      expect(before).not.toMatch(/exam|123-/)
    })

    test('texts at places that no wire has are redacted', async () => {
      const reply = await rig.stream([
        event({ choices: [{ index: 0, delta: { content: 'x', annotations: [{ quote: SSN }] } }], prompt_text: SSN }),
        event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop', stop_reason: SSN, matched: { a: [SSN] } }] }),
        DONE,
      ])
      expect(reply.text).not.toContain(SSN)
      expect(reply.text.match(/\[US_SSN_REDACTED\]/g)).toHaveLength(4)
      expect(hear(reply.text).done).toBe(true)
    })

    test('the text of completions', async () => {
      const body = [piece('SSN 123-4'), piece('5-67'), piece('89'), piece('', 'stop'), DONE]
      const options = { path: '/v1/completions' }
      const reply = await rig.stream(body, { messages: undefined, prompt: 'x' }, options)
      const heard = hear(reply.text)
      expect([heard.text('text'), heard.finish, heard.done]).toEqual(['SSN [US_SSN_REDACTED]', ['stop'], true])
    })
  })

  describe('a cut', () => {
    const endless = async (script: Parameters<Parameters<typeof rig.answers>[0]>[0]) => {
      await script.head()
      for (let at = 0; at < 50; at++) await script.event(JSON.parse(delta({ content: `n${at} ` }).slice(6)))
      await script.stall()
    }

    test.each([
      ['of characters', { claims: { team: 'brief' } }, {}, 'n0 n1 n2 n3 n4 n5 n6'],
      ['of tokens', {}, { model: 'short' }, 'n0 n1 n2 n3 n4 n5 '],
    ])('%s ends with length and [DONE], and frees the model server', async (_, options, fields, expected) => {
      const reply = await rig.stream(endless, { ...fields, stream_options: { include_usage: true } }, options)
      const heard = hear(reply.text)
      expect(expected).toContain(heard.text())
      expect(heard.text().length).toBeGreaterThan(10)
      expect([heard.finish, heard.done, heard.errors]).toEqual([['length'], true, []])
      expect(heard.events.at(-1)?.['usage']).toMatchObject({ completion_tokens: expect.any(Number) })
      await within('the end of the upstream request', 2000, rig.last().gone)
      expect(await rig.record(reply)).toMatchObject({ outcome: 'served', status: 200, reason: 'cut:length' })
    })

    test('a model that keeps its bound is not cut: its own ending and usage arrive', async () => {
      const said = says('1', ' 2', ' 3', ' 4', ' 5')
      const reply = await rig.stream(said, { model: 'short', stream_options: { include_usage: true } })
      const heard = hear(reply.text)
      expect([heard.text(), heard.finish]).toEqual(['1 2 3 4 5', ['stop']])
      expect(heard.events.at(-1)?.['usage']).toEqual(USAGE)
    })

    test.each([
      ['in the last event', [delta({ content: 'a'.repeat(30) }, 'stop')]],
      [
        'by what was held',
        [delta({ content: 'word '.repeat(3) }), delta({ content: 'a'.repeat(30) }), delta({}, 'stop')],
      ],
    ])('%s, the finish reason says so', async (_, events) => {
      const reply = await rig.stream([...events, usageEvent(), DONE], {}, { claims: { team: 'brief' } })
      const heard = hear(reply.text)
      expect(heard.text()).toHaveLength(20)
      expect([heard.finish, heard.done]).toEqual([['length'], true])
    })

    test('of a whole answer', async () => {
      const options = { claims: { team: 'brief' } }
      const reply = await rig.chat(replies(message({ content: 'n'.repeat(50) })), {}, options)
      expect(reply.json()['choices'][0]).toMatchObject({
        message: { content: 'n'.repeat(20) },
        finish_reason: 'length',
      })
    })
  })

  describe('output that policy blocks', () => {
    const strict = { claims: { team: 'strict' } }
    test.each([
      ['in the middle', [delta({ content: `Hello, ${SSN} and more` }), delta({ content: 'more' }, 'stop')]],
      ['in the last event', [delta({ content: 'Hello, ' }), delta({ content: SSN }, 'stop')]],
      ['in what was held', [delta({ content: 'Hello, ' }), delta({ content: SSN }), delta({}, 'stop')]],
      ['in another choice', [delta({ content: 'Hello, ' }), delta({ content: `${SSN}.` }, null, 1)]],
      ['held at [DONE]', [delta({ content: 'Hello, ' }), delta({ content: SSN })]],
      ['in a tool call', [delta({ content: 'Hello, ' }), delta(call(0, `{"a":"${SSN}"}`)), delta({}, 'tool_calls')]],
    ])('%s of a stream: content_filter and [DONE]', async (_, events) => {
      const reply = await rig.stream([...events, DONE], { n: 2 }, strict)
      const heard = hear(reply.text)
      expect(reply.text).not.toMatch(/123-|6789/)
      expect(heard.text()).toBe('Hello, ')
      expect(new Set(heard.finish)).toEqual(new Set(['content_filter']))
      expect([heard.done, heard.errors]).toEqual([true, []])
      const record = await rig.record(reply)
      expect(record).toMatchObject({ outcome: 'served', reason: 'cut:content_filter' })
      expect(record['guard']).toContainEqual({ stage: 'output', rule: 'US_SSN', action: 'block', count: 1 })
    })

    test.each([
      ['in the middle', [delta({ content: `Hello, ${SSN} and more` }), delta({ content: 'more' }, 'stop')]],
      ['in the last event', [delta({ content: 'Hello, ' }), delta({ content: SSN }, 'stop')]],
      ['in what was held', [delta({ content: 'Hello, ' }), delta({ content: SSN }), delta({}, 'stop')]],
      ['held at [DONE]', [delta({ content: 'Hello, ' }), delta({ content: SSN })]],
    ])('%s of a stream, where policy says error: an error, and no end in good order', async (_, events) => {
      const reply = await rig.stream([...events, DONE], { n: 2 }, { claims: { team: 'halting' } })
      const heard = hear(reply.text)
      expect(reply.text).not.toMatch(/123-|6789/)
      expect([heard.text(), heard.finish, heard.done]).toEqual(['Hello, ', [], false])
      expect(heard.errors).toMatchObject([{ code: 'guard_output_blocked' }])
      expect(await rig.record(reply)).toMatchObject({ outcome: 'refused', errorCode: 'guard_output_blocked' })
    })

    test('of completions, where policy says error', async () => {
      const choice = (text: string, finish: string | null = null) =>
        event({ object: 'text_completion', choices: [{ index: 0, text, logprobs: null, finish_reason: finish }] })
      const options = { path: '/v1/completions', claims: { team: 'halting' } }
      rig.answers(chunks([choice('Hello, '), choice(SSN), choice('', 'stop'), DONE]))
      const reply = await rig.send({ model: 'm', prompt: 'x', stream: true }, options)
      expect(reply.text).not.toMatch(/123-|6789|\[DONE\]|"finish_reason":"/)
      expect(reply.text).toContain('"code":"guard_output_blocked"')
    })

    test('of a whole answer: refused', async () => {
      const reply = await rig.chat(replies(message({ content: `It is ${SSN}` })), {}, strict)
      expect([reply.status, reply.json()['error'].code]).toEqual([400, 'guard_output_blocked'])
      expect(reply.headers.get('x-should-retry')).toBe('false')
      expect(reply.text).not.toContain(SSN)
      expect(await rig.record(reply)).toMatchObject({ outcome: 'refused', errorCode: 'guard_output_blocked' })
    })
  })

  describe('whole answers', () => {
    test('every text is redacted, and the rest stays', async () => {
      const args = '{ "ssn": "123-45-6789",\n "n": 3 }'
      const answer = message({
        content: `SSN ${SSN}, EMP-123456`,
        reasoning_content: `It is ${SSN}`,
        refusal: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: args } }],
        annotations: [{ quote: SSN }],
      })
      const reply = await rig.chat(replies(answer))
      expect(reply.text).not.toContain(SSN)
      const [{ message: got, finish_reason }] = reply.json()['choices']
      expect(got.content).toBe('SSN [US_SSN_REDACTED], [EMPLOYEE_ID_REDACTED]')
      expect(JSON.parse(got.tool_calls[0].function.arguments)).toEqual({ ssn: '[US_SSN_REDACTED]', n: 3 })
      expect([finish_reason, reply.json()['usage']]).toEqual(['stop', USAGE])
      const record = await rig.record(reply)
      expect(record).toMatchObject({ outcome: 'served', inputTokens: 11, outputTokens: 7, tokenSource: 'upstream' })
      expect(record['guard']).toContainEqual({ stage: 'output', rule: 'US_SSN', action: 'redact', count: 4 })
    })

    test('nothing found, nothing changed, byte for byte', async () => {
      const odd =
        '{ "choices" : [{"index":0,"message":{"content":"\\u00e9 \\/ x"},"finish_reason":"stop"}], "y":1.50e1 }\n'
      const reply = await rig.chat(async script => {
        await script.head(200, { 'content-type': 'application/json' })
        await script.chunk(odd)
        await script.finish()
      })
      expect(reply.text).toBe(odd)
    })

    test('vectors pass', async () => {
      const vectors = {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: [0.1, -2e-3] }],
        usage: USAGE,
      }
      const fields = { messages: undefined, input: 'x' }
      const reply = await rig.chat(replies(vectors), fields, { path: '/v1/embeddings' })
      expect(reply.json()).toEqual(vectors)
      const base64 = { ...vectors, data: [{ object: 'embedding', index: 0, embedding: 'zczMPQ==' }] }
      expect((await rig.chat(replies(base64), fields, { path: '/v1/embeddings' })).json()).toEqual(base64)
    })

    test.each([
      ['no JSON', `<html>${INTERNAL}</html>`],
      ['half of it', '{"choices":[{"message":{"content":"x'],
      ['two texts of one name', '{"choices":[{"message":{"content":"a","content":"b"}}]}'],
      ['nothing', ''],
      ['null', 'null'],
      ['a bad escape', '{"id":"\\x","choices":[]}'],
      ['an error with status 200', JSON.stringify({ error: { message: INTERNAL } })],
    ])('%s is not passed on', async (_, body) => {
      const reply = await rig.chat(async script => {
        await script.head(200, { 'content-type': 'application/json' })
        if (body !== '') await script.chunk(body)
        await script.finish()
      })
      expect([reply.status, reply.json()['error'].code]).toEqual([502, 'upstream_invalid'])
      expect(reply.text).not.toContain('marzipan')
      expect(await rig.record(reply)).toMatchObject({ outcome: 'failed', errorCode: 'upstream_invalid' })
    })

    test('one without end is given up', async () => {
      const megabyte = ' '.repeat(1024 * 1024)
      let sent = 0
      const reply = await rig.chat(async script => {
        await script.head(200, { 'content-type': 'application/json' })
        let gone = false
        void script.request.gone.then(() => (gone = true))
        for (; sent < 100 && !gone; sent++) {
          await Promise.race([script.chunk(megabyte), script.request.gone])
          await script.sleep(1)
        }
      })
      expect([reply.status, reply.json()['error'].code]).toEqual([502, 'upstream_invalid'])
      expect(sent).toBeLessThan(60)
    })
  })
}

import { describe, expect, test } from 'vitest'
import { captured, cut, DONE, delta, event, hear, type Json, piece, says, USAGE, usageEvent } from './events.ts'
import { chunks, type Reply, type Rig } from './rig.ts'

const RAW = /123-45-6789|bob@example\.com|555 010 9999/
const AT_ONCE = 100
const usage = { stream_options: { include_usage: true } }

export function streams(rig: Rig): void {
  describe('what real servers send, in HTTP chunks of any size', () => {
    test.each([
      ['chat-stream-usage'],
      ['chat-stream-n2'],
      ['chat-stream-tool-parallel'],
      ['chat-stream-logprobs'],
      ['chat-stream-reasoning'],
      ['chat-stream-utf8'],
      ['completions-stream-usage'],
      ['completions-stream-multi-prompt'],
      ['transformers-chat-stream'],
      ['transformers-completions-stream'],
    ])('%s', async name => {
      const body = captured(name)
      const chat = name.includes('chat')
      const path = chat ? '/v1/chat/completions' : '/v1/completions'
      const fields = chat ? usage : { ...usage, messages: undefined, prompt: 'x' }
      const before = hear(body)
      let first: string | undefined
      for (const size of [1, 7, 64, 1000, body.length]) {
        const reply = await rig.stream(cut(body, size), { ...fields, n: 2 }, { path })
        const after = hear(reply.text)
        expect(reply.text).not.toMatch(RAW)
        expect(after.done).toBe(true)
        expect(after.errors).toEqual([])
        expect(after.finish).toEqual(before.finish)
        for (const index of [0, 1]) {
          for (const field of ['content', 'text', 'reasoning_content']) {
            const said = before.text(field, index)
            expect(after.text(field, index)).toBe(redacted(said))
          }
          for (const call of [0, 1]) {
            const json = before.call(call, index)
            if (json !== '') expect(JSON.parse(after.call(call, index))).toEqual(JSON.parse(redacted(json)))
          }
        }
        const choices = after.events.flatMap(({ choices: all = [] }) => all as Json[])
        const tokens = choices.flatMap(({ logprobs }) => (logprobs?.content ?? []) as Json[])
        expect(tokens.map(({ token }) => token).join('')).toBe(name.includes('logprobs') ? 'Hi' : '')
        // The same whatever the chunks were.
        first ??= reply.text
        expect(reply.text).toBe(first)
      }
    })
  })

  test('where nothing is found, nothing is changed, byte for byte', async () => {
    const odd = [
      ': keep-alive\n\n',
      delta({ role: 'assistant', content: '' }),
      'event: message\nid: 7\nretry: 10\ndata:{"choices" : [ {"delta":{"content":"a \\u00e9 \\ud83d\\ude00 \\/ \\n"},"index":0} ], "x":1.50e1}\n\n',
      'data: {"choices":[{"delta":{"content":" b\\n"},"index":0,"logprobs":null}],"new_field":{"deep":[true,null]}}\n\n',
      delta({ content: '\n' }),
      delta({}, 'stop'),
      usageEvent(),
      ': bye\n\n',
      DONE,
    ]
    const reply = await rig.stream(odd, usage)
    expect(reply.text).toBe(odd.join(''))
  })

  describe('framing', () => {
    const said = says('My SSN is 123-', '45-67', '89 and ', 'that is all.')
    const expected = 'My SSN is [US_SSN_REDACTED] and that is all.'
    const whole = said.join('')
    test.each<[string, (string | Uint8Array)[]]>([
      ['CRLF', [whole.replaceAll('\n', '\r\n')]],
      ['CRLF, cut in the middle of line ends', cut(whole.replaceAll('\n', '\r\n'), 3)],
      ['CR', [whole.replaceAll('\n', '\r')]],
      ['mixed line ends', said.map((text, at) => text.replaceAll('\n', at % 2 ? '\r\n' : '\r'))],
      ['a byte-order mark', [`\ufeff${whole}`]],
      ['comments between', said.flatMap(text => [': ping\n\n', text])],
      ['comments and other fields in every event', said.map(text => `: c\nevent: x\nid: 1\n${text}`)],
      ['several data lines', said.map(text => text.replace(/,"choices"/, ',\ndata: "choices"'))],
      ['no space behind the colon', said.map(text => text.replace('data: ', 'data:'))],
      ['an event that says null', ['data: null\n\n', ...said]],
      ['more blank lines', said.map(text => `\n\n${text}\n`)],
      ['no blank line behind [DONE]', [whole.slice(0, -1)]],
      ['no line end behind [DONE]', [whole.slice(0, -2)]],
    ])('%s', async (_, pieces) => {
      const reply = await rig.stream(pieces)
      const heard = hear(reply.text)
      expect(heard.text()).toBe(expected)
      expect(heard.finish).toEqual(['stop'])
      expect([heard.done, heard.errors]).toEqual([true, []])
    })

    test('an event leaves as soon as it is whole, whatever its line ends', async () => {
      for (const end of ['\n', '\r\n']) {
        rig.answers(async script => {
          await script.head()
          await script.chunk(delta({ content: 'now. ' }).replaceAll('\n', end))
          await script.stall()
        })
        const response = await rig.fetch({ ...fieldsOf(), stream: true })
        const reader = response.body?.getReader()
        let text = ''
        while (!text.endsWith(end + end)) {
          const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
          expect(done).toBe(false)
          text += Buffer.from(value as Uint8Array).toString()
        }
        expect(text).toContain('now')
        await reader?.cancel()
      }
    })
  })

  describe('personal data across every cut', () => {
    /** The answers to all the streams, asked for at the same time: what the model server sends is told by the prompt. */
    const all = async (count: number, answerTo: (at: number) => readonly (string | Uint8Array)[]) => {
      const token = await rig.token()
      rig.answers(script => chunks(answerTo(Number(chatOf(script.request.body))))(script))
      const ask = (at: number) =>
        rig.send({ model: 'm', messages: [{ role: 'user', content: `${at}` }], stream: true }, { token })
      const replies: Reply[] = []
      // Some at a time: Bun has no more than 256 requests to model servers under way.
      for (let at = 1; at <= count; at += AT_ONCE) {
        const some = Array.from({ length: Math.min(AT_ONCE, count - at + 1) }, (_, more) => ask(at + more))
        replies.push(...(await Promise.all(some)))
      }
      rig.check()
      expect(replies.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([])
      return new Set(replies.map(({ text }) => hear(text).text()))
    }

    test('of the bytes', async () => {
      const events = [delta({ content: 'SSN 123-45-6789, ' }), delta({ content: 'tél. é' }), delta({}, 'stop'), DONE]
      const bytes = Buffer.from(events.join(''))
      const texts = await all(bytes.length - 1, at => [bytes.subarray(0, at), bytes.subarray(at)])
      expect([...texts]).toEqual(['SSN [US_SSN_REDACTED], tél. é'])
    })

    test('of the text', async () => {
      const text = 'Ask bob@example.com, SSN 123-45-6789, or é@example.com 😀.'
      const texts = await all(text.length - 1, at => says(text.slice(0, at), text.slice(at)))
      // A pair of surrogates is never cut by a model server, and cannot be put together again.
      expect([...texts].filter(one => !one.includes('\ufffd'))).toEqual([redacted(text)])
    })
  })

  describe('usage', () => {
    test('is always asked for, and taken out again for callers that did not ask', async () => {
      const without = await rig.stream(says('x'))
      expect(rig.lastBody()['stream_options']).toEqual({ include_usage: true })
      expect(without.text).not.toContain('usage')
      const asked = await rig.stream(says('x'), usage)
      expect(hear(asked.text).events.at(-1)?.['usage']).toEqual(USAGE)
      const refused = await rig.stream(says('x'), { stream_options: { include_usage: false } })
      expect(refused.text).not.toContain('usage')
      for (const reply of [without, asked]) {
        const counts = { inputTokens: 11, outputTokens: 7, tokenSource: 'upstream' }
        expect(await rig.record(reply)).toMatchObject(counts)
      }
    })

    test('of two choices in events of their own counts together', async () => {
      const each = (completion_tokens: number) => usageEvent({ prompt_tokens: 20, completion_tokens, total_tokens: 0 })
      const body = [delta({ content: 'x' }, 'stop'), each(10), delta({ content: 'y' }, 'stop', 1), each(12), DONE]
      const chat = await rig.stream(body, { n: 2 })
      expect(await rig.record(chat)).toMatchObject({ inputTokens: 20, outputTokens: 22 })
      const ended = (index: number, prompt_tokens: number, completion_tokens: number) => {
        const choices = [{ index, text: '', finish_reason: 'stop' }]
        return event({ choices, usage: { prompt_tokens, completion_tokens } })
      }
      const prompts = { messages: undefined, prompt: ['a', 'b'] }
      const many = [piece('x'), ended(0, 1, 10), piece('y', null, 1), ended(1, 3, 12), DONE]
      const text = await rig.stream(many, prompts, { path: '/v1/completions' })
      expect(await rig.record(text)).toMatchObject({ inputTokens: 4, outputTokens: 22 })
    })

    test('that grows with every event counts once', async () => {
      const at = (content: string, completion_tokens: number, finish: string | null) => {
        const choices = [{ index: 0, delta: { content }, finish_reason: finish }]
        return event({ choices, usage: { prompt_tokens: 9, completion_tokens } })
      }
      const running = [at('a', 1, null), at('b', 2, null), at('c', 3, 'stop')]
      for (const end of [[DONE], [usageEvent({ prompt_tokens: 9, completion_tokens: 3 }), DONE]]) {
        const reply = await rig.stream([...running, ...end])
        expect(await rig.record(reply)).toMatchObject({ inputTokens: 9, outputTokens: 3, tokenSource: 'upstream' })
      }
    })

    test('that nobody counted is estimated', async () => {
      const reply = await rig.stream([delta({ content: 'one' }), delta({ content: ' two' }, 'stop'), DONE])
      const record = await rig.record(reply)
      expect(record['tokenSource']).toBe('estimate')
      expect(record['outputTokens']).toBeGreaterThanOrEqual(2)
    })
  })
}

function fieldsOf() {
  return { model: 'm', messages: [{ role: 'user', content: 'x' }] }
}

function redacted(text: string): string {
  return text
    .replaceAll('123-45-6789', '[US_SSN_REDACTED]')
    .replaceAll(/(bob|é)@example\.com|jürgen@bücher\.example/g, '[EMAIL_REDACTED]')
    .replaceAll('4111 1111 1111 1111', '[CREDIT_CARD_REDACTED]')
    .replaceAll('+1 555 010 9999', '[PHONE_REDACTED]')
}

/** The text of a chat's last message. */
function chatOf(body: string): string {
  return (JSON.parse(body) as { messages: { content: string }[] }).messages.at(-1)?.content ?? ''
}

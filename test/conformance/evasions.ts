import { describe, expect, test } from 'vitest'
import { DONE, delta, event, hear, type Json, message } from './events.ts'
import { chat, type Rig, replies } from './rig.ts'

const SSN = '123-45-6789'
const RAW = /123-?45-?6789|4111 ?1111|bob@example/

/** Ways to write personal data so that a filter may miss it while a person or a program still reads it. */
const SPELLINGS: readonly (readonly [how: string, text: string])[] = [
  ['as it is', SSN],
  ['in full-width digits', '１２３-４５-６７８９'],
  ['with a zero-width space inside', '123\u200b-45-6789'],
  ['with a soft hyphen inside', '12\u00ad3-45-6789'],
  ['with another dash', '123\u201145\u20116789'],
  ['between letters of another script', `это ${SSN}是`],
  ['at the very end of a line', `x\n${SSN}\n`],
  ['as JSON in a text', `{"ssn":"${SSN}"}`],
  ['as JSON in JSON', JSON.stringify({ a: JSON.stringify({ ssn: SSN }) })],
  ['in a URL', `https://x.example/?ssn=${SSN}&y`],
  ['in a link', `[a](mailto:bob@example.com)`],
]

export function evasions(rig: Rig): void {
  describe('personal data is found', () => {
    test.each(SPELLINGS)('%s', async (_, text) => {
      const whole = await rig.chat(replies(message({ content: `It is ${text}.` })))
      expect(whole.json()['choices'][0].message.content).toMatch(/_REDACTED\]/)
      // A character at a time, and every character as an escape.
      const escaped = Array.from(`It is ${text}.`, char => delta({ content: 'CHAR' }).replace('"CHAR"', escape(char)))
      const stream = hear((await rig.stream([...escaped, delta({}, 'stop'), DONE])).text)
      expect(stream.text()).toBe(whole.json()['choices'][0].message.content)
      const prompt = await rig.chat(replies(message({ content: 'ok' })), chat(text), { claims: { team: 'redacting' } })
      expect(prompt.status).toBe(200)
      expect(rig.lastBody()['messages'][0].content).toMatch(/_REDACTED\]/)
    })
  })

  describe('in the arguments of a call', () => {
    const stream = (args: readonly string[], finish: string | null = 'tool_calls') => {
      const pieces = args.map(text => delta({ tool_calls: [{ index: 0, function: { arguments: text } }] }))
      return rig.stream([...pieces, ...(finish ? [delta({}, finish)] : []), DONE])
    }

    test.each([
      ['a key', `{"${SSN}": 1}`],
      ['a number', '{"card": 4111111111111111}'],
      ['deep inside', `[[[{"a":[{"b":"${SSN}"}]}]]]`],
      ['escaped', '{"a":"\\u0031\\u0032\\u0033-45-6789"}'],
      ['JSON in JSON', JSON.stringify({ a: JSON.stringify({ ssn: SSN }) })],
    ])('%s', async (_, json) => {
      const heard = hear((await stream(Array.from(json))).text)
      expect(heard.call(0)).toContain('_REDACTED]')
      expect(JSON.stringify(JSON.parse(heard.call(0)))).not.toMatch(/123-45-6789|4111111111111111/)
      const call = { id: 'c', type: 'function', function: { name: 'f', arguments: json } }
      const whole = await rig.chat(replies(message({ content: null, tool_calls: [call] }, {}, 'tool_calls')))
      expect(whole.json()['choices'][0].message.tool_calls[0].function.arguments).toBe(heard.call(0))
    })

    test.each([
      ['cut by length', 'length'],
      ['without a finish reason', null],
    ])('that are no whole JSON: %s', async (_, finish) => {
      const heard = hear((await stream([`{"to":"bob@exa`, `mple.com","ssn":"123-`, '45-6789'], finish)).text)
      expect(heard.call(0)).toBe('{"to":"[EMAIL_REDACTED]","ssn":"[US_SSN_REDACTED]')
    })

    test('as an object, and in the older form', async () => {
      const call = { id: 'c', type: 'function', function: { name: 'f', arguments: { ssn: SSN } } }
      expect((await rig.chat(replies(message({ tool_calls: [call] })))).text).not.toMatch(RAW)
      const reply = await rig.stream([
        delta({ function_call: { name: 'f', arguments: '{"ssn":"123-' } }),
        delta({ function_call: { arguments: '45-6789"}' } }),
        delta({}, 'function_call'),
        DONE,
      ])
      const calls = hear(reply.text).events.flatMap(({ choices }) => choices.map((choice: Json) => choice.delta))
      const args = calls.map(({ function_call }) => function_call?.arguments ?? '').join('')
      expect(JSON.parse(args)).toEqual({ ssn: '[US_SSN_REDACTED]' })
    })
  })

  describe('a stream that lies about its form', () => {
    test.each([
      [
        'the index behind the text',
        [
          '{"choices":[{"delta":{"content":"123-45-"},"index":1}]}',
          '{"choices":[{"index":1,"delta":{"content":"6789"}}]}',
        ],
      ],
      ['no index', ['{"choices":[{"delta":{"content":"123-45-"}}]}', '{"choices":[{"delta":{"content":"6789"}}]}']],
      [
        'a message for a delta',
        [
          '{"choices":[{"index":0,"message":{"content":"123-45-"}}]}',
          '{"choices":[{"index":0,"delta":{"content":"6789"}}]}',
        ],
      ],
      ['two choices lists', ['{"choices":[],"choices":[{"index":0,"delta":{"content":"123-45-6789"}}]}']],
      [
        'an escaped name',
        [
          '{"choices":[{"index":0,"delta":{"cont\\u0065nt":"123-45-"}}]}',
          '{"choices":[{"index":0,"delta":{"content":"6789"}}]}',
        ],
      ],
      ['a lone text', ['{"choices":[{"index":0,"text":"123-45-6789"}]}']],
      ['content in parts', ['{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"123-45-6789"}]}}]}']],
      ['an event name', ['{"choices":[{"index":0,"delta":{"content":"123-45-6789"}}]}']],
    ])('%s', async (_, events) => {
      const reply = await rig.stream([...events.map(json => `event: x\ndata: ${json}\n\n`), DONE], { n: 2 })
      const heard = hear(reply.text)
      expect(reply.text).not.toMatch(RAW)
      const said = heard.events.flatMap(({ choices = [] }) => choices as Json[])
      const texts = said.map(({ delta: one, message: other, text }) => (one ?? other)?.content ?? text ?? '')
      expect(texts.join('')).not.toMatch(RAW)
    })

    test('an error that is null is none', async () => {
      const reply = await rig.stream([
        event({ choices: [{ index: 0, delta: { content: 'fine' }, finish_reason: 'stop' }], error: null }),
        DONE,
      ])
      expect(hear(reply.text)).toMatchObject({ done: true, finish: ['stop'] })
    })
  })
}

function escape(char: string): string {
  return `"${Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
}

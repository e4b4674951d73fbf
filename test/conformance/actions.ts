import { describe, expect, test } from 'vitest'
import { MAX_STAND_INS } from '../../src/config/limits.ts'
import { cut, DONE, delta, event, hear, type Json, message, piece, says } from './events.ts'
import { type Answer, chat, chunks, type Rig, replies } from './rig.ts'

const JANE = 'jane.doe@corp.example'
const CARD = '4111-1111-1111-1111'
const TOKEN = 'ghp_012345678901234567890123456789012345'
const MINE = [JANE, CARD, TOKEN, 'TCK-1234']
/** Not sent by the caller: the model brings it from elsewhere. */
const OTHER = 'mallory@evil.example'

const PROMPT = `Write to ${JANE}, card ${CARD}, ticket TCK-1234, token ${TOKEN}.`
const TOLD = 'Write to [EMAIL_1], card [CREDIT_CARD_1], ticket [TICKET_1], token [GITHUB_TOKEN_1].'
/** What the model says, and what the caller reads of it. */
const SAID = `${TOLD} Not to ${OTHER} or [EMAIL_9].`
const READ = `${PROMPT} Not to [EMAIL_REDACTED] or [EMAIL_9].`

const alias = { claims: { team: 'alias' } }

/** What a record says of input, by rule. */
const onInput = ({ guard }: Json): Json =>
  Object.fromEntries(
    (guard as Json[]).filter(({ stage }) => stage === 'input').map(({ rule, ...more }) => [rule, more]),
  )

export function actions(rig: Rig): void {
  describe('pseudonymise', () => {
    test('tells the model stand-ins, and the caller its own values; nobody else learns them', async () => {
      const reply = await rig.stream(says(...SAID.split(/(?<=[ _[\]])/)), chat(PROMPT), alias)
      expect(rig.lastBody()['messages'][0].content).toBe(TOLD)
      expect(hear(reply.text)).toMatchObject({ done: true, finish: ['stop'] })
      expect(hear(reply.text).text()).toBe(READ)
      const record = await rig.record(reply)
      expect(onInput(record)).toMatchObject({
        EMAIL: { action: 'pseudonymise', count: 1 },
        CREDIT_CARD: { action: 'pseudonymise', count: 1 },
        GITHUB_TOKEN: { action: 'pseudonymise', count: 1 },
        TICKET: { action: 'pseudonymise', count: 1 },
      })
      expect(record['outputSnippet']).toBe(`${TOLD} Not to [EMAIL_REDACTED] or [EMAIL_9].`)
      for (const value of MINE) expect(JSON.stringify(record) + rig.last().body).not.toContain(value)
    })

    test('is of no consequence for the keyed hash of the prompt', async () => {
      const text = `Dear ${JANE}`
      const one = await rig.record(await rig.chat(replies(message({ content: 'x' })), chat(text), alias))
      const other = await rig.record(await rig.chat(replies(message({ content: 'x' })), chat(text)))
      expect(one['promptHmac']).toBe(other['promptHmac'])
    })

    test.each([1, 2, 3, 7, 64])('comes back whatever the cuts: %i bytes', async size => {
      const body = says(...(SAID.match(/.{1,5}/gs) ?? [])).join('')
      const reply = await rig.stream(cut(body, size), chat(PROMPT), alias)
      expect(hear(reply.text).text()).toBe(READ)
    })

    test.each(['content', 'reasoning_content', 'reasoning', 'refusal'])('comes back in %s', async field => {
      const events = [delta({ [field]: 'To [EMA' }), delta({ [field]: 'IL_1], [EMAIL_2]' }), delta({}, 'stop'), DONE]
      expect(hear((await rig.stream(events, chat(JANE), alias)).text).text(field)).toBe(`To ${JANE}, [EMAIL_2]`)
      const whole = await rig.chat(replies(message({ [field]: 'To [EMAIL_1], [EMAIL_2]' })), chat(JANE), alias)
      expect(whole.json()['choices'][0].message[field]).toBe(`To ${JANE}, [EMAIL_2]`)
    })

    test('one value has one stand-in in every text, whole or in JSON', async () => {
      const call = { id: 'c', type: 'function', function: { name: 'mail', arguments: JSON.stringify({ to: [JANE] }) } }
      const tool = { type: 'function', function: { name: 'mail', description: `as ${JANE} does` } }
      const messages = [
        { role: 'system', content: `You work for ${JANE}.` },
        { role: 'user', content: [{ type: 'text', text: `I am ${JANE}, not joe@corp.example` }] },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: 'sent to joe@corp.example' },
      ]
      await rig.chat(replies(message({ content: 'ok' })), { messages, tools: [tool] }, alias)
      const { messages: told, tools } = rig.lastBody()
      expect(told).toMatchObject([
        { content: 'You work for [EMAIL_1].' },
        { content: [{ text: 'I am [EMAIL_1], not [EMAIL_2]' }] },
        { tool_calls: [{ function: { arguments: '{"to":["[EMAIL_1]"]}' } }] },
        { content: 'sent to [EMAIL_2]' },
      ])
      expect(tools[0].function.description).toBe('as [EMAIL_1] does')
    })

    test('a caller who writes what looks like a stand-in is not confused with one', async () => {
      const prompt = [...chat(`${JANE} is not [EMAIL_1]`).messages, { role: 'user', content: 'nor [EMAIL_2]' }]
      const said = 'Not [EMAIL_1], not [EMAIL_2], but [EMAIL_3].'
      const reply = await rig.chat(replies(message({ content: said })), { messages: prompt }, alias)
      expect(rig.lastBody()['messages'].map(({ content }: Json) => content)).toEqual([
        '[EMAIL_3] is not [EMAIL_1]',
        'nor [EMAIL_2]',
      ])
      expect(reply.json()['choices'][0].message.content).toBe(`Not [EMAIL_1], not [EMAIL_2], but ${JANE}.`)
    })

    test.each([
      ['plain', '{"to":"[EMAIL_1]","cc":["[EMAIL_9]"],"run":"curl [COMMAND_CREDENTIALS_1] x"}'],
      ['escaped', '{"to":"\\u005bEMAIL\\u005f1]","cc":["[EMAIL_9]"],"run":"curl \\u005BCOMMAND_CREDENTIALS_1] x"}'],
    ])('arguments of a call stay JSON, whatever the value is made of: %s', async (_, args) => {
      const credentials = '--user "johns:h0pk\\1ns~21s"'
      const prompt = chat(`${JANE} curl ${credentials} x`)
      const pieces = Array.from(args, json => delta({ tool_calls: [{ index: 0, function: { arguments: json } }] }))
      const reply = await rig.stream([...pieces, delta({}, 'tool_calls'), DONE], prompt, alias)
      expect(rig.lastBody()['messages'][0].content).toBe('[EMAIL_1] curl [COMMAND_CREDENTIALS_1] x')
      const wanted = { to: JANE, cc: ['[EMAIL_9]'], run: `curl ${credentials} x` }
      expect(JSON.parse(hear(reply.text).call(0))).toEqual(wanted)
      const call = { id: 'c', type: 'function', function: { name: 'f', arguments: args } }
      const whole = await rig.chat(replies(message({ content: null, tool_calls: [call] })), prompt, alias)
      expect(JSON.parse(whole.json()['choices'][0].message.tool_calls[0].function.arguments)).toEqual(wanted)
    })

    test('a key with line ends comes back into arguments as JSON writes it', async () => {
      const key = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(8)}-----END PRIVATE KEY-----`
      const call = { index: 0, function: { arguments: '{"key":"[PRIVATE_KEY_1]"}' } }
      const events = [delta({ tool_calls: [call] }), delta({}, 'tool_calls'), DONE]
      const reply = await rig.stream(events, chat(`Store this:\n${key}\nplease`), alias)
      expect(rig.lastBody()['messages'][0].content).toBe('Store this:\n[PRIVATE_KEY_1]\nplease')
      expect(JSON.parse(hear(reply.text).call(0))).toEqual({ key })
    })

    test('what is held at the end is let out, however the answer ends', async () => {
      const half = [delta({ content: 'To [EMAIL_1], [EMAIL_1' })]
      const finished = await rig.stream([...half, delta({}, 'stop'), DONE], chat(JANE), alias)
      expect(hear(finished.text).text()).toBe(`To ${JANE}, [EMAIL_1`)
      const broken = await rig.stream(
        async script => {
          await script.head()
          await script.chunk(half[0] ?? '')
          await script.sleep(50)
          script.end()
        },
        chat(JANE),
        alias,
      )
      expect(hear(broken.text)).toMatchObject({ done: false, errors: [{ code: 'upstream_failed' }] })
      expect(hear(broken.text).text()).toBe(`To ${JANE}, [EMAIL_1`)
    })

    test('a cut comes where it would without: in front of what blocks, or at a length of what the model said', async () => {
      const brief = { claims: { team: 'alias-brief' } }
      const blocked = await rig.stream(says(`To [EMAIL_1 ${OTHER} x`), chat(JANE), brief)
      expect(hear(blocked.text)).toMatchObject({ done: true, finish: ['content_filter'] })
      expect(hear(blocked.text).text()).toBe('To [EMAIL_1 ')
      const long = await rig.stream(says('[EMAIL_1]', ' [EMAIL_1]', ' more'), chat(JANE), brief)
      expect(hear(long.text)).toMatchObject({ done: true, finish: ['length'] })
      expect(hear(long.text).text()).toBe(`${JANE} ${JANE} `)
    })

    test('on completions, several prompts share their stand-ins', async () => {
      const prompt = [`a ${JANE}`, `b ${JANE} joe@corp.example`]
      rig.answers(chunks([piece('[EMAIL_1] an'), piece('d [EMAIL_'), piece('2]', 'stop'), DONE]))
      const reply = await rig.send({ model: 'm', prompt, stream: true }, { path: '/v1/completions', ...alias })
      expect(rig.lastBody()['prompt']).toEqual(['a [EMAIL_1]', 'b [EMAIL_1] [EMAIL_2]'])
      expect(hear(reply.text).text('text')).toBe(`${JANE} and joe@corp.example`)
    })

    test('on responses, in the pieces, the copies and the final object', async () => {
      const item = { type: 'message', id: 'i', content: [{ type: 'output_text', text: SAID }] }
      const call = { type: 'function_call', id: 'f', call_id: 'c', name: 'mail', arguments: '{"to":"[EMAIL_1]"}' }
      const typed = (value: Json) => `event: ${value['type']}\n${event(value)}`
      const at = { item_id: 'i', output_index: 0, content_index: 0 }
      const events = [
        typed({ type: 'response.created', response: { id: 'r' } }),
        ...(SAID.match(/.{1,4}/gs) ?? []).map(text =>
          typed({ type: 'response.output_text.delta', ...at, delta: text }),
        ),
        typed({ type: 'response.output_text.done', ...at, text: SAID }),
        typed({ type: 'response.function_call_arguments.delta', item_id: 'f', output_index: 1, delta: '{"to":"[EMA' }),
        typed({ type: 'response.function_call_arguments.delta', item_id: 'f', output_index: 1, delta: 'IL_1]"}' }),
        typed({
          type: 'response.function_call_arguments.done',
          item_id: 'f',
          output_index: 1,
          arguments: call.arguments,
        }),
        typed({ type: 'response.completed', response: { id: 'r', output: [item, call] } }),
      ]
      rig.answers(chunks(events))
      const options = { path: '/v1/responses', ...alias }
      const reply = await rig.send({ model: 'm', input: PROMPT, stream: true }, options)
      expect(rig.lastBody()['input']).toBe(TOLD)
      const heard = hear(reply.text).events
      const grown = (type: string) => heard.flatMap(one => (one.type === type ? [one.delta] : [])).join('')
      expect(grown('response.output_text.delta')).toBe(READ)
      expect(grown('response.function_call_arguments.delta')).toBe(JSON.stringify({ to: JANE }))
      expect(heard.find(({ type }) => type === 'response.output_text.done').text).toBe(READ)
      expect(heard.at(-1).response.output).toMatchObject([
        { content: [{ text: READ }] },
        { arguments: JSON.stringify({ to: JANE }) },
      ])
      rig.answers(replies({ id: 'r', status: 'completed', output: [item, call] }))
      const whole = await rig.send({ model: 'm', input: PROMPT }, options)
      expect(whole.json()['output']).toEqual(heard.at(-1).response.output)
    })

    test('on messages, in texts, thinking and the input of a tool', async () => {
      const block = (index: number, begun: Json, field: string, pieces: readonly string[]) => [
        { type: 'content_block_start', index, content_block: begun },
        ...pieces.map(text => ({
          type: 'content_block_delta',
          index,
          delta: { type: `${field === 'partial_json' ? 'input_json' : field}_delta`, [field]: text },
        })),
        { type: 'content_block_stop', index },
      ]
      const events = [
        { type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', content: [] } },
        ...block(0, { type: 'thinking', thinking: '' }, 'thinking', ['ask [EM', 'AIL_1', ']']),
        ...block(1, { type: 'text', text: '' }, 'text', ['to [', 'EMAIL_1] [EMAIL_', '2]']),
        ...block(2, { type: 'tool_use', id: 't', name: 'f', input: {} }, 'partial_json', ['{"a":"[EMAIL_', '1]"}']),
        { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
        { type: 'message_stop' },
      ]
      rig.answers(chunks(events.map(value => `event: ${value.type}\n${event(value)}`)))
      const fields = { model: 'm', max_tokens: 9, system: `for ${JANE}`, messages: [{ role: 'user', content: 'x' }] }
      const options = { path: '/v1/messages', ...alias }
      const heard = hear((await rig.send({ ...fields, stream: true }, options)).text).events
      expect(rig.lastBody()['system']).toBe('for [EMAIL_1]')
      const grown = (field: string) => heard.map(({ delta: one }) => one?.[field] ?? '').join('')
      expect(grown('thinking')).toBe(`ask ${JANE}`)
      expect(grown('text')).toBe(`to ${JANE} [EMAIL_2]`)
      expect(grown('partial_json')).toBe(JSON.stringify({ a: JANE }))
      const content = [
        { type: 'text', text: 'to [EMAIL_1]' },
        { type: 'tool_use', id: 't', name: 'f', input: { '[EMAIL_1]': ['[EMAIL_1]'] } },
      ]
      rig.answers(replies({ id: 'm', type: 'message', role: 'assistant', content, stop_reason: 'tool_use' }))
      const whole = await rig.send(fields, options)
      expect(whole.json()['content']).toMatchObject([{ text: `to ${JANE}` }, { input: { [JANE]: [JANE] } }])
    })

    test('documents that are ranked come back as they were sent; what is embedded is told by stand-ins', async () => {
      const results = [{ index: 0, relevance_score: 1, document: { text: 'of [EMAIL_1]' } }]
      rig.answers(replies({ id: 'x', results }))
      const fields = { model: 'm', query: JANE, documents: [`of ${JANE}`], return_documents: true }
      const ranked = await rig.send(fields, { path: '/v1/rerank', ...alias })
      expect(rig.lastBody()).toMatchObject({ query: '[EMAIL_1]', documents: ['of [EMAIL_1]'] })
      expect(ranked.json()['results'][0].document.text).toBe(`of ${JANE}`)
      rig.answers(replies({ object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.5] }], model: 'm' }))
      await rig.send({ model: 'm', input: [JANE] }, { path: '/v1/embeddings', ...alias })
      expect(rig.lastBody()['input']).toEqual(['[EMAIL_1]'])
    })

    test('more different values than one request may have are refused, and none of them goes on', async () => {
      const mails = (count: number) => Array.from({ length: count }, (_, at) => `u${at}@corp.example`).join(' ')
      rig.answers(replies(message({ content: `[EMAIL_${MAX_STAND_INS}]` })))
      // Some twice: what counts is how many there are.
      const most = {
        messages: [
          { role: 'user', content: mails(MAX_STAND_INS) },
          { role: 'user', content: mails(9) },
        ],
      }
      const served = await rig.send({ ...chat('x'), ...most }, alias)
      expect(served.json()['choices'][0].message.content).toBe(`u${MAX_STAND_INS - 1}@corp.example`)
      const seen = await rig.seen(async () => {
        const messages = [...most.messages, { role: 'user', content: 'and one.more@corp.example' }]
        const reply = await rig.send({ ...chat('x'), messages }, alias)
        expect(reply.json().error).toMatchObject({ code: 'guard_too_many_values', param: 'messages[2].content' })
        expect([reply.status, reply.text.includes('corp.example')]).toEqual([400, false])
        expect(await rig.record(reply)).toMatchObject({ outcome: 'refused', errorCode: 'guard_too_many_values' })
      })
      expect(seen).toBe(0)
    })

    test('holds nothing back of a request that has no stand-ins', async () => {
      const seen: string[] = []
      const answer: Answer = async script => {
        await script.head()
        await script.chunk(delta({ content: 'see [' }))
        await script.sleep(100)
        seen.push('slept')
        await script.chunk(delta({}, 'stop') + DONE)
        await script.finish()
      }
      rig.answers(answer)
      const response = await rig.fetch({ ...chat('x'), stream: true }, alias)
      const first = await response.body?.getReader().read()
      expect(new TextDecoder().decode(first?.value as Uint8Array)).toContain('see [')
      expect(seen).toEqual([])
    })
  })

  describe.each([
    ['mask', 'masking', '****.***@****s.com', /^\*+2345$/],
    ['hash', 'hashing', /^\[EMAIL_[0-9a-f]{12}\]$/, /^\[GITHUB_TOKEN_[0-9a-f]{12}\]$/],
  ] as const)('%s', (action, team, email, token) => {
    const options = { claims: { team } }
    const matches = (text: string, form: string | RegExp) =>
      typeof form === 'string' ? expect(text).toBe(form) : expect(text).toMatch(form)

    test('leaves the same of a value on the way in and on the way back, whole, in pieces and in arguments', async () => {
      const mail = 'jane.doe@corps.com'
      const whole = await rig.chat(replies(message({ content: mail })), chat(mail), options)
      const told = rig.lastBody()['messages'][0].content as string
      matches(told, email)
      expect(whole.json()['choices'][0].message.content).toBe(told)
      const stream = await rig.stream(says(...mail), chat('x'), options)
      expect(hear(stream.text).text()).toBe(told)
      const args = JSON.stringify({ to: mail })
      const pieces = Array.from(args, json => delta({ tool_calls: [{ index: 0, function: { arguments: json } }] }))
      const called = await rig.stream([...pieces, delta({}, 'tool_calls'), DONE], chat('x'), options)
      expect(JSON.parse(hear(called.text).call(0))).toEqual({ to: told })
      const record = await rig.record(whole)
      expect(record['guard']).toEqual([
        { stage: 'input', rule: 'EMAIL', action, count: 1 },
        { stage: 'output', rule: 'EMAIL', action, count: 1 },
      ])
      expect(JSON.stringify(record)).not.toContain(mail)
    })

    test('leaves less of secrets', async () => {
      await rig.chat(replies(message({ content: 'ok' })), chat(TOKEN), options)
      matches(rig.lastBody()['messages'][0].content, token)
    })
  })

  test('a hash is the same however the value is spelled', async () => {
    const told = new Set<string>()
    for (const card of [CARD, CARD.replaceAll('-', ' '), CARD.replaceAll('-', '')]) {
      await rig.chat(replies(message({ content: 'ok' })), chat(card), { claims: { team: 'hashing' } })
      told.add(rig.lastBody()['messages'][0].content)
    }
    expect([...told]).toEqual([expect.stringMatching(/^\[CREDIT_CARD_[0-9a-f]{12}\]$/)])
  })
}

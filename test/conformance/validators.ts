import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  freePort,
  type Gateway,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  sleep,
  startGateway,
  waitFor,
} from '../support/index.ts'
import { DONE, delta, event, hear, message, says } from './events.ts'
import { type Answer, chat, chunks, PROMPT, type Reply, type Rig, replies, type Values } from './rig.ts'

const EVIL = 'marzipan-evil-4402'

/** One validator a team: who asks decides which one looks. */
export function validators(rig: Rig): void {
  let server: ScriptedUpstream
  let gateway: Gateway
  let judge: (script: Script) => unknown

  const texts = () =>
    server.requests.map(({ body }) => {
      const { text, input, llmOutput } = JSON.parse(body || '{}') as Record<string, string>
      return text ?? input ?? llmOutput ?? ''
    })
  const isEvil = ({ request: { body } }: Script) => body.includes(EVIL)
  const byWord = (script: Script) => script.reply(200, { pass: !isEvil(script), label: 'evil' })

  beforeAll(async () => {
    server = await scriptedUpstream(script => (script.request.method === 'GET' ? script.reply(404, {}) : judge(script)))
    const { url } = server
    const http = { kind: 'http', url: `${url}/check`, timeout: '2s', cache: { entries: 0 } }
    const gone = `http://127.0.0.1:${await freePort()}`
    const all = [
      {
        name: 'classifier',
        kind: 'vllm-classify',
        url,
        model: 'prompt-guard-2',
        threshold: 0.9,
        timeout: '2s',
        apiKey: 'k',
      },
      { ...http, name: 'remembering', cache: { ttl: '1m' } },
      { ...http, name: 'impatient', timeout: '100ms' },
      { ...http, name: 'soft', timeout: '100ms', onFailure: 'allow' },
      { ...http, name: 'away', url: gone },
      { ...http, name: 'flagging', action: 'flag', on: ['input', 'output'] },
      { ...http, name: 'small', input: { window: 100, maxWindows: 3 } },
      { ...http, name: 'alongside', input: { mode: 'alongside' } },
      { ...http, name: 'holding', on: ['output'], output: { window: 100 } },
      { ...http, name: 'following', on: ['output'], output: { window: 100, mode: 'alongside' } },
      { ...http, name: 'guardrails', url, guard: 'no-evil' },
    ]
    gateway = await startGateway({
      runtime: rig.runtime,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${rig.upstream.url}/v1`, kind: 'vllm' }] }],
        quotas: [{ name: 'all', per: ['team'], tokens: 100_000, window: '1h' }],
        guard: {
          input: { pii: 'redact' },
          validators: all,
          exceptions: [
            ...all.map(({ name }) => ({ match: { team: name }, validators: [name] })),
            { match: { team: 'named' }, validators: ['holding', 'remembering'], input: { pii: 'pseudonymise' } },
            { match: { team: 'exempt' }, validators: [] },
          ],
        },
      },
    })
  })
  afterAll(() => Promise.all([gateway?.stop(), server?.stop()]))
  beforeEach(() => {
    judge = byWord
  })

  const as = (team: string) => ({ gateway, claims: { team } })
  const ask = (
    team: string,
    content: unknown,
    answer: Answer = replies(message({ content: 'fine' })),
    fields: Values = {},
  ) => rig.chat(answer, { ...chat(content), ...fields }, as(team))
  const listen = (team: string, answer: Answer | string[], fields: Values = {}) => rig.stream(answer, fields, as(team))
  const record = (reply: Reply) => rig.record(reply, gateway)
  /** The texts that the validators were shown while it ran. */
  const shown = async (run: () => Promise<unknown>) => {
    const before = server.requests.length
    await run()
    return texts().slice(before)
  }

  async function expectRefused(reply: Reply, status: number, code: string, findings: Values[], reason: unknown) {
    expect([reply.status, reply.json().error.code]).toEqual([status, code])
    expect(reply.text).not.toContain(EVIL)
    expect(await record(reply)).toMatchObject({ status, errorCode: code, guard: findings, reason })
    expect(rig.auditText(gateway).includes(EVIL)).toBe(false)
    expect(gateway.output().includes(EVIL)).toBe(false)
  }

  describe('before the model', () => {
    const classify = (script: Script) => {
      const bad = isEvil(script) ? 0.95 : 0.2
      const [label, probs] = bad > 0.5 ? ['MALICIOUS', [1 - bad, bad]] : ['BENIGN', [1 - bad, bad]]
      return script.reply(200, { data: [{ index: 0, label, probs, num_classes: 2 }] })
    }

    test('a classifier behind vLLM lets through what it finds harmless', async () => {
      judge = classify
      const seen = await shown(async () => expect((await ask('classifier', 'good day')).status).toBe(200))
      expect(seen).toEqual(['good day'])
      const { path, headers, body } = server.requests.at(-1) ?? {}
      expect([path, headers?.authorization]).toEqual(['/classify', 'Bearer k'])
      expect(JSON.parse(body ?? '')).toEqual({ model: 'prompt-guard-2', input: 'good day' })
    })

    test.each<[string, Values]>([
      [
        'the first message',
        {
          messages: [
            { role: 'user', content: EVIL },
            { role: 'assistant', content: 'Well.' },
            { role: 'user', content: 'x' },
          ],
        },
      ],
      [
        'a part',
        {
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: 'x' },
                { type: 'text', text: EVIL },
              ],
            },
          ],
        },
      ],
      [
        'the result of a tool',
        {
          messages: [
            { role: 'user', content: 'x' },
            {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
            },
            { role: 'tool', tool_call_id: 'a', content: EVIL },
          ],
        },
      ],
      [
        'what a tool is described as',
        { tools: [{ type: 'function', function: { name: 'f', description: EVIL, parameters: {} } }] },
      ],
      [
        'a key of a schema',
        {
          tools: [
            { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: { [EVIL]: {} } } } },
          ],
        },
      ],
      [
        'the middle of a long text',
        { messages: [{ role: 'user', content: `${'word '.repeat(3000)}${EVIL}${' word'.repeat(3000)}` }] },
      ],
      [
        'the arguments of an earlier call',
        {
          messages: [
            {
              role: 'assistant',
              content: null,
              tool_calls: [
                { id: 'a', type: 'function', function: { name: 'f', arguments: JSON.stringify({ x: EVIL }) } },
              ],
            },
            { role: 'tool', tool_call_id: 'a', content: 'x' },
          ],
        },
      ],
    ])('what is bad in %s does not reach it', async (_, fields) => {
      judge = classify
      const reached = await rig.seen(async () => {
        const reply = await ask('classifier', 'x', undefined, fields)
        expect(reply.json().error).toMatchObject({
          message: expect.stringContaining('"classifier"'),
          type: 'policy_error',
        })
        expect(reply.headers.get('x-should-retry')).toBe('false')
        const findings = [{ stage: 'input', rule: 'classifier', action: 'block', count: 1 }]
        await expectRefused(reply, 400, 'guard_validator', findings, 'classifier: MALICIOUS')
      })
      expect(reached).toBe(0)
    })

    test.each<[string, Values]>([
      ['/v1/completions', { prompt: EVIL }],
      ['/v1/embeddings', { input: ['x', EVIL] }],
      ['/v1/responses', { input: [{ role: 'user', content: [{ type: 'input_text', text: EVIL }] }] }],
      ['/v1/messages', { system: EVIL, messages: [{ role: 'user', content: 'x' }], max_tokens: 5 }],
      ['/v1/rerank', { query: 'x', documents: ['y', EVIL] }],
    ])('nor on %s', async (path, fields) => {
      const reply = await rig.send({ model: 'm', ...fields }, { path, ...as('remembering') })
      expect([reply.status, reply.json().error.code]).toEqual([400, 'guard_validator'])
    })

    test('a validator sees what the model would see: redacted, and each message by itself', async () => {
      const messages = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'My SSN is 123-45-6789.' },
      ]
      const seen = await shown(() => ask('impatient', '', undefined, { messages, stop: ['end'] }))
      expect([...seen].sort()).toEqual(['Be brief.', 'My SSN is [US_SSN_REDACTED].', 'end'])
    })

    test('a verdict is remembered: a conversation that goes on has only its new message checked', async () => {
      const messages = [
        { role: 'user', content: 'How are you?' },
        { role: 'assistant', content: 'Well.' },
      ]
      await ask('remembering', '', undefined, { messages })
      const more = [...messages, { role: 'user', content: 'And now?' }]
      expect(await shown(() => ask('remembering', '', undefined, { messages: more }))).toEqual(['And now?'])
    })

    test('a refused prompt costs no tokens', async () => {
      const left = async () => {
        const reply = await ask('remembering', 'hello')
        return Number(reply.headers.get('x-ratelimit-remaining-tokens'))
      }
      const before = await left()
      await ask('remembering', EVIL)
      await ask('remembering', EVIL)
      // Only what the two that were served used, and this one reserves.
      expect(before - (await left())).toBeLessThan(100)
    })

    test('too long a prompt for its windows is refused as that, not cut', async () => {
      const reply = await ask('small', 'x'.repeat(300))
      expect(reply.json().error.message).toContain('"small"')
      const findings = [{ stage: 'input', rule: 'small', action: 'failed', count: 1 }]
      await expectRefused(reply, 400, 'prompt_too_long', findings, 'small: more than 3 windows')
      expect((await ask('small', 'x'.repeat(250))).status).toBe(200)
    })

    test('a guard of a Guardrails AI server is asked in its own words', async () => {
      judge = script =>
        script.reply(200, {
          callId: '1',
          validationPassed: !isEvil(script),
          validatedOutput: script.json()['llmOutput'],
        })
      expect((await ask('guardrails', 'hello')).status).toBe(200)
      expect(server.requests.at(-1)?.path).toBe('/guards/no-evil/validate')
      expect((await ask('guardrails', EVIL)).status).toBe(400)
    })

    test('one that only flags lets through, and says so in the record', async () => {
      const reply = await ask('flagging', EVIL)
      expect(reply.status).toBe(200)
      expect(await record(reply)).toMatchObject({
        guard: [{ stage: 'input', rule: 'flagging', action: 'flag', count: 1 }],
      })
    })

    test('who is exempt is not looked at', async () => {
      expect(await shown(async () => expect((await ask('exempt', EVIL)).status).toBe(200))).toEqual([])
    })

    test('all that are in force look, at the same time', async () => {
      // No exception names this team: the bad verdict of any refuses.
      const started = performance.now()
      judge = async script => {
        await script.sleep(60)
        await byWord(script)
      }
      const reply = await ask('everybody', EVIL)
      expect(reply.status).toBeGreaterThanOrEqual(400)
      expect(performance.now() - started).toBeLessThan(1000)
    })
  })

  describe('in trouble', () => {
    test('a validator that does not answer in time fails closed, with a code to retry by', async () => {
      judge = script => script.stall()
      const reached = await rig.seen(async () => {
        const reply = await ask('impatient', 'hello')
        expect([reply.headers.get('retry-after'), reply.headers.get('x-should-retry')]).toEqual(['1', null])
        const findings = [{ stage: 'input', rule: 'impatient', action: 'failed', count: 1 }]
        await expectRefused(reply, 503, 'guard_unavailable', findings, 'impatient: no verdict within 100 ms')
      })
      expect(reached).toBe(0)
      await server.requests.at(-1)?.gone
    })

    test('one that is away as well', async () => {
      expect((await ask('away', 'hello')).json().error.code).toBe('guard_unavailable')
      expect((await ask('away', 'hello')).text).not.toContain('127.0.0.1')
    })

    test('policy may let through what could not be checked; the record says so', async () => {
      judge = script => script.reset()
      const reply = await ask('soft', 'hello')
      expect(reply.status).toBe(200)
      expect(await record(reply)).toMatchObject({
        guard: [{ stage: 'input', rule: 'soft', action: 'failed', count: 1 }],
      })
    })

    test('shows in /readyz by name, and does not make the instance unready', async () => {
      const ready = await waitFor('both', async () => {
        const reply = await rig.send(undefined, { method: 'GET', path: '/readyz', token: null, gateway })
        return reply.status === 200 && reply.json()
      })
      expect(ready.validators).toMatchObject({ classifier: true, soft: true, away: false })
    })

    test('whoever leaves takes the check along', async () => {
      judge = script => script.stall()
      const before = server.requests.length
      const caller = new AbortController()
      const token = await rig.token({ team: 'remembering' }, {}, gateway)
      const asked = fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(chat('are you there?')),
        signal: caller.signal,
      })
      await waitFor('the check', () => server.requests.length > before)
      const started = performance.now()
      caller.abort()
      await expect(asked).rejects.toThrow()
      await server.requests.at(-1)?.gone
      expect(performance.now() - started).toBeLessThan(1000)
    })
  })

  describe('alongside the model', () => {
    test('the model starts at once, and nothing comes before the verdict', async () => {
      let modelAt = 0
      let verdictAt = 0
      judge = async script => {
        await waitFor('the model', () => modelAt)
        await script.sleep(100)
        verdictAt = performance.now()
        await byWord(script)
      }
      rig.answers(async script => {
        modelAt = performance.now()
        await chunks(says('at once. '))(script)
      })
      const response = await rig.fetch({ ...chat('hello'), stream: true }, as('alongside'))
      expect(performance.now()).toBeGreaterThan(verdictAt)
      expect([response.status, hear(await response.text()).text()]).toEqual([200, 'at once. '])
      rig.check()
    })

    test.each([true, false])('a bad prompt is refused and the model let go (stream: %s)', async stream => {
      judge = async script => {
        await sleep(100)
        await byWord(script)
      }
      const reply = await ask(
        'alongside',
        EVIL,
        async script => {
          if (stream) {
            await script.head()
            await script.chunk(delta({ content: 'too early. ' }))
          }
          await script.stall()
        },
        { stream },
      )
      expect(reply.text).not.toContain('too early')
      const findings = [{ stage: 'input', rule: 'alongside', action: 'block', count: 1 }]
      await expectRefused(reply, 400, 'guard_validator', findings, 'alongside: evil')
      await rig.last().gone
    })

    test('a verdict that comes before the model has been asked refuses as well', async () => {
      expect((await ask('alongside', EVIL)).status).toBe(400)
      expect((await ask('alongside', 'hello')).status).toBe(200)
    })
  })

  describe('an answer', () => {
    const long = Array.from({ length: 40 }, (_, at) => `word${at} `)

    test('that passes arrives whole, redacted, and the validator saw it redacted', async () => {
      const said = [...long, 'SSN 123-45-', '6789 ', ...long]
      const seen = await shown(async () => {
        const reply = await listen('holding', says(...said))
        expect(hear(reply.text).text()).toBe(said.join('').replace('123-45-6789', '[US_SSN_REDACTED]'))
        expect(hear(reply.text).finish).toEqual(['stop'])
      })
      expect(seen.length).toBeGreaterThan(4)
      expect(seen.join('')).not.toContain('6789')
      for (const text of seen) expect(text.length).toBeLessThanOrEqual(100)
    })

    test('with stand-ins is judged with them, and gives the caller its own values back', async () => {
      const answer = says(...long, 'Write to [EMA', 'IL_1]. ', ...long)
      const seen = await shown(async () => {
        const reply = await listen('named', answer, chat('I am jane@example.org. Who am I?'))
        expect(hear(reply.text).text()).toContain('Write to jane@example.org. ')
        expect(hear(reply.text).finish).toEqual(['stop'])
      })
      expect(seen).toContain('I am [EMAIL_1]. Who am I?')
      expect(seen.join('')).not.toContain('jane@')
      const cut = await listen('named', says('Write to [EMAIL_1]. ', ...long, EVIL), chat('I am jane@example.org.'))
      expect([hear(cut.text).finish, hear(cut.text).done]).toEqual([['content_filter'], true])
      expect(hear(cut.text).text()).toContain('Write to jane@example.org. ')
    })

    test('is held until its verdict', async () => {
      let verdictAt = 0
      judge = async script => {
        await script.sleep(100)
        verdictAt = performance.now()
        await byWord(script)
      }
      rig.answers(chunks(says(long.join('')).slice(0, -1)))
      const response = await rig.fetch({ ...chat(), stream: true }, as('holding'))
      const reader = response.body?.getReader()
      let text = ''
      while (!text.includes('word0')) {
        const { value, done } = (await reader?.read()) ?? { done: true, value: undefined }
        expect(done).toBe(false)
        text += Buffer.from(value as Uint8Array).toString()
      }
      expect(performance.now()).toBeGreaterThan(verdictAt)
      expect(verdictAt).toBeGreaterThan(0)
      await reader?.cancel()
    })

    test('is cut in front of what is bad, the model let go', async () => {
      const reply = await listen('holding', async script => {
        await script.head()
        for (const content of [...long, EVIL, ...long]) await script.chunk(delta({ content }))
        await script.stall()
      })
      const heard = hear(reply.text)
      expect([heard.finish, heard.done, heard.errors]).toEqual([['content_filter'], true, []])
      expect(heard.text()).toContain('word0')
      expect(reply.text).not.toContain(EVIL)
      expect(await record(reply)).toMatchObject({
        outcome: 'served',
        reason: 'cut:content_filter',
        guard: [{ stage: 'output', rule: 'holding', action: 'block', count: 1 }],
      })
      expect(rig.auditText(gateway).includes(EVIL)).toBe(false)
      await rig.last().gone
    })

    test('of a few words, bad, shows none of them', async () => {
      const reply = await listen('holding', says(EVIL))
      const heard = hear(reply.text)
      expect([heard.text(), heard.finish, heard.done]).toEqual(['', ['content_filter'], true])
      expect(JSON.stringify(await record(reply))).not.toContain(EVIL)
    })

    test('whose caller leaves while it is held takes its checks along, and is not quoted', async () => {
      judge = script => script.stall()
      rig.answers(async script => {
        await script.head()
        await script.chunk(delta({ role: 'assistant' }) + delta({ content: long.join('') }))
        await script.stall()
      })
      const before = server.requests.length
      const response = await rig.fetch({ ...chat(), stream: true }, as('holding'))
      await waitFor('the check', () => server.requests.length > before)
      await response.body?.cancel()
      await server.requests.at(-1)?.gone
      await rig.last().gone
      const aborted = await rig.record(response, gateway)
      expect(aborted).toMatchObject({ outcome: 'aborted', status: 499 })
      expect(aborted).not.toHaveProperty('outputSnippet')
    })

    test('that goes out first is cut as soon as a verdict is bad', async () => {
      const reply = await listen('following', async script => {
        await script.head()
        for (const content of [...long, EVIL, ...long]) await script.chunk(delta({ content }))
        await script.stall()
      })
      const heard = hear(reply.text)
      expect([heard.finish, heard.done]).toEqual([['content_filter'], true])
    })

    test('does not end before the last verdict, also where text goes out first', async () => {
      judge = async script => {
        await script.sleep(100)
        await byWord(script)
      }
      const heard = hear((await listen('following', says('All is well. ', EVIL))).text)
      expect([heard.finish, heard.done]).toEqual([['content_filter'], true])
    })

    test('that could not be checked ends with an error', async () => {
      judge = script => script.reset()
      const reply = await listen('holding', says(...long))
      const heard = hear(reply.text)
      expect([heard.text(), heard.done, heard.errors[0].code]).toEqual(['', false, 'guard_unavailable'])
      expect(await record(reply)).toMatchObject({ outcome: 'failed', errorCode: 'guard_unavailable' })
    })

    test.each<[string, Values, unknown]>([
      ['/v1/chat/completions', chat(), message({ content: EVIL })],
      ['/v1/chat/completions', chat(), message({ content: null, reasoning_content: EVIL })],
      [
        '/v1/chat/completions',
        chat(),
        message({
          content: null,
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: `{"x":"${EVIL}"}` } }],
        }),
      ],
      [
        '/v1/messages',
        { ...chat(), max_tokens: 5 },
        {
          id: 'm',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [{ type: 'text', text: EVIL }],
          stop_reason: 'end_turn',
          usage: { input_tokens: 1, output_tokens: 1 },
        },
      ],
      [
        '/v1/responses',
        { model: 'm', input: 'x' },
        {
          id: 'r',
          object: 'response',
          status: 'completed',
          model: 'm',
          output: [
            {
              type: 'message',
              id: 'i',
              role: 'assistant',
              status: 'completed',
              content: [{ type: 'output_text', text: EVIL }],
            },
          ],
        },
      ],
    ])('whole, on %s, is withheld when it is bad', async (path, fields, body) => {
      rig.answers(replies(body))
      const reply = await rig.send(fields, { path, ...as('holding') })
      rig.check()
      const findings = [{ stage: 'output', rule: 'holding', action: 'block', count: 1 }]
      await expectRefused(reply, 400, 'guard_output_blocked', findings, 'holding: evil')
      expect(await record(reply)).not.toHaveProperty('outputSnippet')
    })

    test('whole and good arrives as it is', async () => {
      const reply = await ask('holding', 'x', replies(message({ content: 'All is well.' })))
      expect(reply.json().choices[0].message.content).toBe('All is well.')
    })

    test('whole, and of more windows than are checked, is one that could not be checked', async () => {
      const endless = message({ content: 'word '.repeat(900_000) })
      const shownOf = await shown(async () => {
        const reply = await ask('holding', 'hi', replies(endless))
        expect([reply.status, reply.json().error.code]).toEqual([503, 'guard_unavailable'])
        expect(await record(reply)).toMatchObject({
          guard: [{ stage: 'output', rule: 'holding', action: 'failed', count: 1 }],
          reason: 'holding: more than 1024 windows',
        })
      })
      expect(shownOf).toEqual([])
    })

    test('on Messages is cut with its blocks closed', async () => {
      const text = (piece: string) =>
        event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } })
      rig.answers(
        chunks([
          event({
            type: 'message_start',
            message: {
              id: 'm',
              type: 'message',
              role: 'assistant',
              model: 'm',
              content: [],
              usage: { input_tokens: 3, output_tokens: 0 },
            },
          }),
          event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
          ...[...long, EVIL].map(text),
          event({ type: 'content_block_stop', index: 0 }),
          event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } }),
          event({ type: 'message_stop' }),
        ]),
      )
      const reply = await rig.send(
        { ...chat(), max_tokens: 5, stream: true },
        { path: '/v1/messages', ...as('holding') },
      )
      const { events } = hear(reply.text)
      expect(reply.text).not.toContain(EVIL)
      expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['message_start', 'content_block_start'])
      expect(events.slice(-3).map(({ type }) => type)).toEqual(['content_block_stop', 'message_delta', 'message_stop'])
      expect(events.at(-2).delta.stop_reason).toBe('refusal')
    })

    test('a slow caller and a slow validator hold the model up, and lose nothing', async () => {
      judge = async script => {
        await script.sleep(2)
        await byWord(script)
      }
      const line = 'All is well here. '.repeat(50)
      const reply = await listen('holding', says(...Array.from({ length: 200 }, () => line)))
      expect((await record(reply))['reason'] ?? '').toBe('')
      expect(hear(reply.text).text() === line.repeat(200)).toBe(true)
    })

    test('events without text, such as [DONE] alone, are not lost', async () => {
      const reply = await listen('holding', [delta({ role: 'assistant' }), ': ping\n\n', delta({}, 'stop'), DONE])
      expect([hear(reply.text).finish, hear(reply.text).done]).toEqual([['stop'], true])
      expect(reply.text).toContain(': ping')
    })
  })

  test('prompts are in no log of the gateway', () => {
    expect(gateway.output().includes(PROMPT)).toBe(false)
  })
}

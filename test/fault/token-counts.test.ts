import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Runtime,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  startGateway,
} from '../support/index.ts'

const COUNT_MS = 300
/** What the model server says that a prompt had. */
const ACTUAL = 40
const LIMIT = 100_000
/** A prompt that is worth a question, and what it has in truth. */
const LONG = 'word '.repeat(9000)
const LONG_TOKENS = 9100

const sizeOf = ({ request }: Script) => (request.body.length > LONG.length ? LONG_TOKENS : ACTUAL)

/** How one model's server answers when it is asked to count: each model has its own, so that none is left alone for another. */
const COUNTERS: Readonly<Record<string, (script: Script) => unknown>> = {
  slow: script => script.stall(),
  missing: script => script.reply(404, { error: { message: 'File Not Found' } }),
  broken: script => script.reset(),
  failing: script => script.reply(500, { error: 'no' }),
  nonsense: script => script.reply(200, ['none']),
  garbled: script => script.raw('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{"i'),
  // More than anybody reads.
  endless: async script => {
    await script.head(200, { 'content-type': 'application/json' })
    for (let i = 0; i < 8; i++) await script.chunk(' '.repeat(1 << 20))
  },
  negative: script => script.reply(200, { input_tokens: -5 }),
  zero: script => script.reply(200, { input_tokens: 0 }),
  huge: script => script.reply(200, { input_tokens: 1e15 }),
  fraction: script => script.reply(200, { input_tokens: 40.5 }),
  text: script => script.reply(200, { input_tokens: '40' }),
  lying: script => script.reply(200, { input_tokens: 100 }),
  honest: script => script.reply(200, { input_tokens: sizeOf(script) }),
}

type Json = Record<string, unknown>

describe.each<Runtime>(['node', 'bun'])('model servers that count badly, behind the gateway on %s', runtime => {
  let server: ScriptedUpstream
  let gateway: Gateway
  let token: string

  beforeAll(async () => {
    server = await scriptedUpstream(script => {
      const name = /^\/(\w+)\//.exec(script.request.path)?.[1] ?? ''
      if (script.request.path.endsWith('/input_tokens')) return COUNTERS[name]?.(script)
      const tokens = sizeOf(script)
      const usage = { prompt_tokens: tokens, completion_tokens: 1, total_tokens: tokens + 1 }
      const message = { role: 'assistant', content: 'ok' }
      return script.reply(200, { id: 'x', choices: [{ index: 0, finish_reason: 'stop', message }], usage })
    })
    const upstreams = (name: string) => [{ url: `${server.url}/${name}/v1`, kind: 'llama.cpp', apiKey: 'the-key' }]
    gateway = await startGateway({
      runtime,
      config: {
        models: [
          ...Object.keys(COUNTERS).map(id => ({
            id,
            upstreams: upstreams(id),
            countTokens: 'always',
            maxOutputTokens: 8,
          })),
          { id: 'never', upstreams: upstreams('honest'), countTokens: 'never', maxOutputTokens: 8 },
          { id: 'auto', upstreams: upstreams('honest'), maxOutputTokens: 8 },
          { id: 'unlimited', upstreams: upstreams('honest'), countTokens: 'always', maxOutputTokens: 8 },
        ],
        timeouts: { count: `${COUNT_MS}ms` },
        guard: { input: { injection: 'off', pii: 'redact', secrets: 'block' } },
        quotas: [
          {
            name: 'input',
            match: { model: [...Object.keys(COUNTERS), 'never', 'auto'] },
            per: ['team', 'model'],
            inputTokens: LIMIT,
            window: '1h',
          },
        ],
      },
    })
    token = await gateway.mint({ team: 'blue' })
  }, 60_000)

  afterAll(async () => {
    await gateway?.stop()
    await server?.stop()
  })

  const ask = async (model: string, content: unknown = 'My SSN is 123-45-6789.', more: object = {}) => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ model, messages: [{ role: 'user', content }], ...more }),
      signal: AbortSignal.timeout(20_000),
    })
    await response.text()
    return response
  }
  const questions = (model: string) =>
    server.requests.filter(({ path }) => path === `/${model}/v1/chat/completions/input_tokens`)

  async function metric(name: string, labels: string): Promise<number> {
    const response = await fetch(`${gateway.adminUrl}/metrics`)
    const line = (await response.text()).split('\n').find(one => one.startsWith(`${name}{${labels}}`))
    return Number(line?.split(' ').at(-1) ?? 0)
  }
  const outcomes = (model: string, outcome: string) =>
    metric('sallyport_input_counts_total', `model="${model}",outcome="${outcome}"`)

  test.each([
    ['slow', 'timeout'],
    ['missing', 'unsupported'],
    ['broken', 'failed'],
    ['failing', 'failed'],
    ['nonsense', 'failed'],
    ['garbled', 'failed'],
    ['endless', 'failed'],
    ['negative', 'implausible'],
    ['zero', 'implausible'],
    ['huge', 'implausible'],
    ['fraction', 'implausible'],
    ['text', 'implausible'],
  ])('%s: the request is served by its estimate, and charged what its answer says', async (model, outcome) => {
    const response = await ask(model)
    expect(response.status).toBe(200)
    expect(await outcomes(model, outcome)).toBe(1)
    expect(questions(model)).toHaveLength(1)
    await expect
      .poll(() => metric('sallyport_reservation_error_tokens_count', `model="${model}",source="default"`), {
        timeout: 10_000,
      })
      .toBe(1)
  })

  test('a server that does not count is not asked again, and one that fails five times is left alone', async () => {
    const before = questions('missing').length
    await ask('missing', 'Something else')
    expect(questions('missing')).toHaveLength(before)
    for (let i = 0; i < 8; i++) await ask('failing', `Number ${i}`)
    expect(questions('failing').length).toBeLessThanOrEqual(6)
    expect(await outcomes('failing', 'busy')).toBeGreaterThan(0)
  })

  test('one whose count is not that of its own answer is not believed again; its answer is what is charged', async () => {
    expect((await ask('lying')).status).toBe(200)
    await expect.poll(() => outcomes('lying', 'disagreed'), { timeout: 10_000 }).toBe(1)
    await ask('lying', 'Something else')
    expect(questions('lying')).toHaveLength(1)
  })

  test('is asked once for a prompt, by its key, with the text as the guard has left it and nothing else', async () => {
    for (let i = 0; i < 3; i++) await ask('honest', 'My SSN is 123-45-6789.', { max_tokens: 2 + i, temperature: i })
    expect(await outcomes('honest', 'cached')).toBe(2)
    const [question, ...more] = questions('honest')
    expect(more).toEqual([])
    expect(question?.headers.authorization).toBe('Bearer the-key')
    expect(JSON.parse(question?.body ?? '') as Json).toEqual({
      model: 'honest',
      messages: [{ role: 'user', content: 'My SSN is [US_SSN_REDACTED].' }],
    })
  })

  test('is not asked without a limit of tokens, nor with never, nor by default where the estimate fits', async () => {
    const before = questions('honest').length
    for (const model of ['unlimited', 'never', 'auto']) expect((await ask(model, 'Something new')).status).toBe(200)
    expect(questions('honest')).toHaveLength(before)
  })

  test('by default a long prompt is counted ahead', async () => {
    const before = questions('honest').length
    expect((await ask('auto', LONG)).status).toBe(200)
    expect(questions('honest')).toHaveLength(before + 1)
  })
})

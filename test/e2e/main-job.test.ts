import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Llama,
  type Redis,
  type Runtime,
  sallyport,
  startGateway,
  startLlama,
  startRedis,
  waitFor,
} from '../support/index.ts'

/** What the model says, whatever it is asked: personal data and a secret in the middle of prose. */
const SAID =
  'My SSN is 123-45-6789, mail bob@example.com or call +1 415 555 2671. Card 4111 1111 1111 1111, key sk-proj-' +
  'a8Kd02mXq7Lw9Zt4Bv6Yc1Ne3Rf5Ug8Hj0Ik2Ol4Pm6Qn8Rs0Tu2Vw4Xy6Za8. That is all.'
const RAW = ['123-45-6789', 'bob@example.com', '415 555 2671', '4111 1111 1111 1111', 'sk-proj-a8Kd']

describe.each<Runtime>(['node', 'bun'])(
  'an OpenAI client streams from a real model server through the gateway on %s',
  runtime => {
    let llama: Llama
    let redis: Redis
    let gateway: Gateway
    let client: OpenAI

    beforeAll(async () => {
      ;[llama, redis] = await Promise.all([startLlama({ model: 'tiny', say: SAID }), startRedis()])
      gateway = await startGateway({
        runtime,
        config: {
          state: redis.url,
          models: [{ id: 'tiny', upstreams: [{ url: `${llama.url}/v1`, kind: 'llama.cpp' }], maxOutputTokens: 512 }],
          quotas: [
            { name: 'team-minute', per: ['team'], tokens: 5000, window: '1m' },
            { name: 'key-rate', per: ['token'], requests: 30, window: '60s' },
          ],
          guard: {
            input: { injection: 'block', pii: 'flag', secrets: 'block' },
            output: { pii: 'redact', secrets: 'redact' },
          },
        },
      })
      client = new OpenAI({
        baseURL: `${gateway.url}/v1`,
        apiKey: await gateway.mint({ team: runtime }),
        maxRetries: 0,
      })
    }, 60_000)

    afterAll(async () => {
      await gateway?.stop()
      await Promise.all([llama?.stop(), redis?.stop()])
    })

    test('chat, streamed: redacted across chunks, in many pieces', async () => {
      const stream = await client.chat.completions.create({
        model: 'tiny',
        messages: [{ role: 'user', content: 'Who is it?' }],
        stream: true,
      })
      const pieces: string[] = []
      let finish: string | null = null
      for await (const chunk of stream) {
        expect(chunk.usage ?? null).toBeNull()
        pieces.push(chunk.choices[0]?.delta.content ?? '')
        finish = chunk.choices[0]?.finish_reason ?? finish
      }
      const text = pieces.join('')
      for (const raw of RAW) expect(text).not.toContain(raw)
      expect(text).toMatch(
        /^My SSN is \[US_SSN_REDACTED\], mail \[EMAIL_REDACTED\] or call \[PHONE_REDACTED\]\. Card \[CREDIT_CARD_REDACTED\], key \[[A-Z_]+_REDACTED\]\. That is all\.$/,
      )
      expect(pieces.length).toBeGreaterThan(20)
      expect(finish).toBe('stop')
    })

    test('chat, whole; and what it counted', async () => {
      const answer = await client.chat.completions.create({
        model: 'tiny',
        messages: [{ role: 'user', content: 'Who is it?' }],
      })
      for (const raw of RAW) expect(JSON.stringify(answer)).not.toContain(raw)
      expect(answer.choices[0]?.message.content).toContain('[EMAIL_REDACTED]')
      expect(answer.usage?.total_tokens).toBeGreaterThan(20)
    })

    test('completions, streamed; usage when it is asked for', async () => {
      const stream = await client.completions.create({
        model: 'tiny',
        // A line end is what the model's first word follows.
        prompt: 'Who is it?\n',
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
      })
      let text = ''
      let used = 0
      for await (const chunk of stream) {
        text += chunk.choices[0]?.text ?? ''
        used = chunk.usage?.total_tokens ?? used
      }
      for (const raw of RAW) expect(text).not.toContain(raw)
      expect(text).toContain('[US_SSN_REDACTED]')
      expect(used).toBeGreaterThan(20)
    })

    test('the models are those that the token may use', async () => {
      const ids = (await client.models.list()).data.map(({ id }) => id)
      expect(ids).toEqual(['tiny'])
      expect((await client.models.retrieve('tiny')).id).toBe('tiny')
      const other = new OpenAI({
        baseURL: `${gateway.url}/v1`,
        apiKey: await gateway.mint({ models: 'other-*' }),
        maxRetries: 0,
      })
      expect((await other.models.list()).data).toEqual([])
      await expect(
        other.chat.completions.create({ model: 'tiny', messages: [{ role: 'user', content: 'x' }] }),
      ).rejects.toMatchObject({
        status: 403,
        code: 'model_forbidden',
      })
    })

    test('a bad token is refused, and not told why', async () => {
      const bad = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'x.y.z', maxRetries: 0 })
      await expect(bad.models.list()).rejects.toMatchObject({ status: 401, code: 'invalid_token' })
    })

    test('the quota holds, and says when to come back', async () => {
      const own = new OpenAI({
        baseURL: `${gateway.url}/v1`,
        apiKey: await gateway.mint({ team: `limited-${runtime}` }),
        maxRetries: 0,
      })
      const ask = () =>
        own.chat.completions
          .create({ model: 'tiny', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 400 })
          .asResponse()
      const results = await Promise.allSettled(Array.from({ length: 15 }, ask))
      const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
      expect(refused.length).toBeGreaterThan(0)
      for (const { reason } of refused) {
        expect(reason).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
        expect(Number(reason.headers.get('retry-after'))).toBeGreaterThan(0)
      }
    })

    test('the log proves it: every request, none of the raw text, an unbroken chain', async () => {
      const file = join(gateway.dir, 'audit/audit.jsonl')
      await waitFor('the last record', () => readFileSync(file, 'utf8').split('"outcome":"served"').length > 10)
      const log = readFileSync(file, 'utf8')
      for (const raw of [...RAW, 'Who is it?']) expect(log).not.toContain(raw)
      const records = log
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Record<string, unknown>)
        .filter(({ outcome }) => outcome !== 'begun')
      const streamed = records.find(({ stream, route }) => stream === true && route === '/v1/chat/completions')
      expect(streamed).toMatchObject({
        outcome: 'served',
        status: 200,
        team: runtime,
        tokenSource: 'upstream',
        model: 'tiny',
      })
      expect(streamed?.['promptHmac']).toMatch(/^[0-9a-f]{64}$/)
      expect(JSON.stringify(streamed?.['guard'])).toContain('US_SSN')
      const verified = await sallyport(['audit', 'verify', file], { cwd: gateway.dir })
      expect(verified).toMatchObject({ code: 0 })
    })
  },
)

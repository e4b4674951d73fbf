import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { chat } from '../fault/support/caller.ts'
import { answerWell } from '../fault/support/model.ts'
import { type Runtime, scriptedUpstream, startGateway, tempDir, waitFor } from '../support/index.ts'
import { testCa } from '../support/test-ca.ts'

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly attributes: readonly Attribute[]
}

const SERVER = 2
const CLIENT = 3
const PARENT = '00f067aa0ba902b7'
const TRACES = ['0af7651916cd43dd8448eb211c80319c', '1bf7651916cd43dd8448eb211c80319c'] as const

const said = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

test.each<Runtime>(['node', 'bun'])(
  '%s: spans and metrics reach a collector over TLS, and no text does',
  {
    timeout: 60_000,
  },
  async runtime => {
    const dir = tempDir()
    const ca = testCa(dir)
    const { cert, key } = ca.issue('collector')
    await using collector = await scriptedUpstream(script => script.reply(200, {}), {
      cert: readFileSync(cert),
      key: readFileSync(key),
    })
    await using model = await scriptedUpstream(script => answerWell(script))
    await using gateway = await startGateway({
      runtime,
      dir,
      env: { COLLECTOR_TOKEN: 'Bearer for-the-collector' },
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${model.url}/v1`, kind: 'vllm' }] }],
        quotas: [{ name: 'team-minute', per: ['team'], tokens: 100_000, window: '1m' }],
        telemetry: {
          otlp: {
            url: collector.url.replace('127.0.0.1', 'localhost'),
            protocol: 'json',
            headers: { Authorization: '${env:COLLECTOR_TOKEN}' },
            tls: { ca: ca.cert },
            traces: { sample: 0, callers: [{ team: 'blue' }] },
            metrics: { every: '1s' },
          },
        },
      },
    })
    const prompt = 'xyzzy is the word of the day'
    const ask = async (team: string, traceId: string) => {
      const fields = { user: 'someone' }
      const headers = { traceparent: `00-${traceId}-${PARENT}-01` }
      const { status } = await chat(gateway, { token: await gateway.mint({ team }), prompt, fields, headers }).answer
      expect(status).toBe(200)
    }
    await ask('blue', TRACES[0])
    await ask('red', TRACES[1])

    const bodies = (signal: string) => collector.requests.filter(({ path }) => path === `/v1/${signal}`)
    const spans = () =>
      bodies('traces').flatMap(({ body }) =>
        (JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }).resourceSpans.flatMap(
          ({ scopeSpans }) => scopeSpans.flatMap(each => each.spans),
        ),
      )
    const root = await waitFor('the span of the request', () => spans().find(({ kind }) => kind === SERVER), 20_000)
    const call = await waitFor('the span of the call', () => spans().find(({ kind }) => kind === CLIENT), 20_000)

    // The trace of the caller that the configuration names goes on; that of the other is nobody's.
    expect(spans().every(({ traceId }) => traceId === TRACES[0])).toBe(true)
    expect(root).toMatchObject({ name: 'POST /v1/chat/completions', parentSpanId: PARENT })
    expect(said(root.attributes)).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'm',
      'gen_ai.usage.input_tokens': 5,
      'gen_ai.usage.output_tokens': 5,
      'http.response.status_code': 200,
      'sallyport.outcome': 'served',
      'sallyport.team': 'blue',
    })
    expect(call).toMatchObject({ name: 'chat m', parentSpanId: root.spanId })
    expect(said(call.attributes)).toMatchObject({ 'server.address': '127.0.0.1', 'server.port': model.port })
    expect(spans().map(({ name }) => name)).toEqual(expect.arrayContaining(['read request', 'reserve quota', 'record']))

    // The model server is told of the one and not of the other.
    const told = model.requests.filter(({ method }) => method === 'POST').map(({ headers }) => headers['traceparent'])
    expect(told).toEqual([`00-${TRACES[0]}-${call.spanId}-01`, undefined])

    await waitFor(
      'the metrics of both requests',
      () => bodies('metrics').some(({ body }) => body.includes('gen_ai.server.request.duration')),
      20_000,
    )
    expect(bodies('metrics').at(-1)?.body).toContain('gen_ai.client.operation.duration')
    expect((await gateway.stop()).code).toBe(0)
    for (const { headers, body } of collector.requests) {
      expect(headers['authorization']).toBe('Bearer for-the-collector')
      expect(body).not.toMatch(/xyzzy|is well|someone/)
    }
    expect(gateway.output()).not.toContain('for-the-collector')
  },
)

test('a collector that is away harms no request', { timeout: 60_000 }, async () => {
  await using model = await scriptedUpstream(script => answerWell(script))
  await using gateway = await startGateway({
    config: {
      models: [{ id: 'm', upstreams: [{ url: `${model.url}/v1`, kind: 'vllm' }] }],
      telemetry: { otlp: { url: 'http://127.0.0.1:1', traces: { sample: 1 } } },
    },
  })
  const token = await gateway.mint()
  for (let i = 0; i < 5; i++) expect((await chat(gateway, { token }).answer).status).toBe(200)
  await waitFor('the failure is logged', () => gateway.output().includes('otlp_export_failed'))
  expect((await chat(gateway, { token }).answer).complete).toBe(true)
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  expect(metrics).toMatch(/sallyport_otlp_exports_total\{result="failed",signal="traces"\} [1-9]/)
  expect((await gateway.stop()).code).toBe(0)
})

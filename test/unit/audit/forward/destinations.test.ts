import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { systemClock } from '../../../../adapters/node/clock.ts'
import { nodeHashing } from '../../../../adapters/node/hashing.ts'
import type { Delivery } from '../../../../src/audit/forward/destination.ts'
import { elasticsearch } from '../../../../src/audit/forward/elasticsearch.ts'
import { plainHttp } from '../../../../src/audit/forward/http.ts'
import type { Speak } from '../../../../src/audit/forward/http-destination.ts'
import { otlp } from '../../../../src/audit/forward/otlp.ts'
import { splunkHec } from '../../../../src/audit/forward/splunk-hec.ts'
import { messageOf } from '../../../../src/audit/forward/syslog.ts'
import type { UpstreamCall } from '../../../../src/ports/upstream.ts'
import { sampleChain } from '../sample.ts'
import { recordsOf } from './support.ts'

const LINES = sampleChain(3, seq => ({
  outcome: seq === 2 ? 'refused' : 'served',
  team: seq === 3 ? 'a"]\\\nb' : 'blue',
}))
const RECORDS = recordsOf(LINES)
const IDS = RECORDS.map(({ id }) => id)

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** What a kind sends, and what it makes of answers. */
async function speak(kind: Speak, ...answers: Answer[]): Promise<{ calls: UpstreamCall[]; delivery: Delivery }> {
  const calls: UpstreamCall[] = []
  const delivery = await kind(
    RECORDS,
    async call => {
      const { status, body, headers = {} } = answers[calls.length] as Answer
      calls.push(call)
      const text = typeof body === 'string' ? body : JSON.stringify(body ?? '')
      return { ok: true, status, headers, bytes: new TextEncoder().encode(text) }
    },
    AbortSignal.timeout(5000),
  )
  return { calls, delivery }
}

const linesOf = (call: UpstreamCall | undefined) => String(call?.body).trimEnd().split('\n')

const kinds: Record<string, Speak> = {
  'splunk-hec': splunkHec({
    url: 'https://splunk:8088',
    token: 't',
    host: 'gw-1',
    source: 'sallyport',
    sourcetype: '_json',
    index: 'ai',
    ack: false,
    channel: 'c',
  }),
  elasticsearch: elasticsearch({ url: 'https://es:9200', index: 'audit', headers: { authorization: 'ApiKey k' } }),
  otlp: otlp({ url: 'http://otel:4318/v1/logs', headers: {}, host: 'gw-1' }),
  http: plainHttp({
    url: 'https://sink/x',
    headers: { authorization: 'Bearer b' },
    hmacSecret: 'a secret of some length',
    hashing: nodeHashing,
    clock: systemClock,
  }),
}
const kind = (of: string) => kinds[of] as Speak

test.each(Object.keys(kinds))('%s: what a status means', async of => {
  const read = async (answer: Answer) => (await speak(kind(of), answer)).delivery
  expect(await read({ status: 413 })).toMatchObject({ kind: 'too-large' })
  expect(await read({ status: 429, headers: { 'retry-after': '7' } })).toMatchObject({
    kind: 'failed',
    retryAfterMs: 7000,
  })
  const date = { 'retry-after': 'Tue, 24 Nov 2026 10:00:30 GMT', date: 'Tue, 24 Nov 2026 10:00:00 GMT' }
  expect(await read({ status: 503, headers: date })).toMatchObject({ kind: 'failed', retryAfterMs: 30_000 })
  for (const status of [301, 401, 403, 404, 500]) expect(await read({ status })).toMatchObject({ kind: 'failed' })
})

test.each(['elasticsearch', 'otlp', 'http'])('%s: 400 is about the records', async of => {
  expect((await speak(kind(of), { status: 400, body: 'no\ngood' })).delivery).toMatchObject({
    kind: 'refused',
    reason: expect.stringMatching(/^it answered 400: .*no/),
  })
})

test('splunk-hec: events with the record’s time, and the record as it is', async () => {
  const { calls, delivery } = await speak(kind('splunk-hec'), { status: 200, body: { text: 'Success', code: 0 } })
  expect(delivery).toEqual({ kind: 'taken' })
  expect(calls[0]).toMatchObject({
    method: 'POST',
    url: 'https://splunk:8088/services/collector/event',
    headers: { authorization: 'Splunk t' },
  })
  const events = linesOf(calls[0]).map(line => JSON.parse(line))
  expect(events[0]).toEqual({
    time: Date.UTC(2026, 10, 23, 10, 30, 0, 7) / 1000,
    host: 'gw-1',
    source: 'sallyport',
    sourcetype: '_json',
    index: 'ai',
    event: JSON.parse(LINES[0] as string),
  })
  expect(events.map(({ event }) => event.hash)).toEqual(IDS)
})

test('splunk-hec: only what is about events counts against them', async () => {
  const read = async (answer: Answer) => (await speak(kind('splunk-hec'), answer)).delivery.kind
  const invalid = { text: 'Invalid data format', code: 6, 'invalid-event-number': 1 }
  expect(await read({ status: 400, body: invalid })).toBe('refused')
  expect(await read({ status: 400, body: { text: 'Incorrect index', code: 7 } })).toBe('failed')
  expect(await read({ status: 400, body: { text: 'Data channel is missing', code: 10 } })).toBe('failed')
  expect(await read({ status: 200, body: '<html>Log in</html>' })).toBe('failed')
  expect(await read({ status: 503, body: { text: 'Server is busy', code: 9 } })).toBe('failed')
})

test('splunk-hec: with ack, a batch is taken when it was indexed', async () => {
  const options = { url: 'https://s', token: 't', host: 'h', source: 's', sourcetype: '_json', channel: 'chan' }
  const acked = splunkHec({ ...options, ack: true })
  const answers = [
    { status: 200, body: { text: 'Success', code: 0, ackId: 4 } },
    { status: 200, body: { acks: { 4: false } } },
  ]
  const { calls, delivery } = await speak(acked, ...answers, { status: 200, body: { acks: { 4: true } } })
  expect(delivery).toEqual({ kind: 'taken' })
  expect(calls.slice(1)).toMatchObject([
    { url: 'https://s/services/collector/ack', body: '{"acks":[4]}', headers: { 'x-splunk-request-channel': 'chan' } },
    { body: '{"acks":[4]}' },
  ])
  const none = await speak(acked, { status: 200, body: { text: 'Success', code: 0 } })
  expect(none.delivery).toMatchObject({ kind: 'failed', reason: expect.stringContaining('not enabled') })
  const failing = await speak(acked, answers[0] as Answer, { status: 503 })
  expect(failing.delivery).toMatchObject({ kind: 'failed' })
})

test('elasticsearch: each record is created under its id, with a time stamp for data streams', async () => {
  const { calls, delivery } = await speak(kind('elasticsearch'), {
    status: 200,
    body: { errors: false, items: RECORDS.map(() => ({ create: { status: 201 } })) },
  })
  expect(delivery).toEqual({ kind: 'taken' })
  expect(calls[0]?.url).toMatch(/^https:\/\/es:9200\/audit\/_bulk\?filter_path=/)
  const lines = linesOf(calls[0]).map(line => JSON.parse(line))
  expect(lines.filter((_, index) => index % 2 === 0)).toEqual(IDS.map(_id => ({ create: { _id } })))
  expect(lines[1]).toEqual({ '@timestamp': '2026-11-23T10:30:00.007Z', ...JSON.parse(LINES[0] as string) })
})

const item = (status: number, type?: string) => ({
  create: { status, ...(type && { error: { type, reason: 'why\nnot' } }) },
})

test.each([
  [
    'one that is there already',
    [item(201), item(409, 'version_conflict_engine_exception'), item(201)],
    { kind: 'taken', refused: [] },
  ],
  [
    'one that no mapping fits',
    [item(201), item(400, 'mapper_parsing_exception'), item(201)],
    { kind: 'taken', refused: [{ index: 1, reason: '400 mapper_parsing_exception: why not' }] },
  ],
  ['a busy shard', [item(201), item(201), item(429, 'es_rejected_execution_exception')], { kind: 'failed', taken: 2 }],
  ['a busy shard at first', [item(503, 'unavailable_shards_exception'), item(201), item(201)], { kind: 'failed' }],
  [
    'an index that is closed to writing',
    [403, 403, 403].map(status => item(status, 'cluster_block_exception')),
    { kind: 'failed' },
  ],
  [
    'an index that none fits',
    [400, 400, 400].map(status => item(status, 'strict_dynamic_mapping_exception')),
    { kind: 'refused' },
  ],
])('elasticsearch: %s', async (_what, items, expected) => {
  const { delivery } = await speak(kind('elasticsearch'), { status: 200, body: { errors: true, items } })
  expect(delivery).toMatchObject(expected)
  expect('taken' in delivery ? delivery.taken : undefined).toBe('taken' in expected ? expected.taken : undefined)
})

test('elasticsearch: an answer about something else takes nothing', async () => {
  for (const body of ['<html>', { errors: false, items: [] }, { took: 1 }]) {
    expect((await speak(kind('elasticsearch'), { status: 200, body })).delivery.kind).toBe('failed')
  }
})

test('otlp: a log record with the id, what is searched by, and the record itself', async () => {
  const { calls, delivery } = await speak(kind('otlp'), { status: 200, body: {} })
  expect(delivery).toEqual({ kind: 'taken' })
  const { resourceLogs } = JSON.parse(String(calls[0]?.body))
  expect(resourceLogs[0].resource.attributes).toContainEqual({
    key: 'service.name',
    value: { stringValue: 'sallyport' },
  })
  const { logRecords } = resourceLogs[0].scopeLogs[0]
  expect(logRecords).toHaveLength(3)
  expect(logRecords[1]).toMatchObject({
    timeUnixNano: `${Date.UTC(2026, 10, 23, 10, 30, 0, 7)}000000`,
    severityNumber: 13,
    severityText: 'WARN',
    body: { stringValue: LINES[1] },
  })
  const attributes = new Map(
    logRecords[0].attributes.map(({ key, value }: { key: string; value: unknown }) => [key, value]),
  )
  expect(attributes.get('log.record.uid')).toEqual({ stringValue: IDS[0] })
  expect(attributes.get('gen_ai.request.model')).toEqual({ stringValue: 'llama-3.1-8b' })
  expect(attributes.get('gen_ai.usage.input_tokens')).toEqual({ intValue: '812' })
  expect(attributes.get('sallyport.latency_ms')).toEqual({ doubleValue: 1843.272 })
})

test('otlp: a partial success is counted and not sent again; of none, nothing was taken', async () => {
  const read = async (rejectedLogRecords: unknown) =>
    (
      await speak(kind('otlp'), {
        status: 200,
        body: { partialSuccess: { rejectedLogRecords, errorMessage: 'too old' } },
      })
    ).delivery
  expect(await read('2')).toEqual({ kind: 'taken', lost: { records: 2, reason: 'partial success: too old' } })
  expect(await read(3)).toEqual({ kind: 'refused', reason: 'partial success: too old' })
  expect(await read(0)).toEqual({ kind: 'taken' })
})

test('http: the lines as they stand in the log, signed as Standard Webhooks', async () => {
  const { calls, delivery } = await speak(kind('http'), { status: 202 })
  expect(delivery).toEqual({ kind: 'taken' })
  expect(calls[0]).toMatchObject({ url: 'https://sink/x', body: `${LINES.join('\n')}\n` })
  const headers = calls[0]?.headers ?? {}
  expect(headers).toMatchObject({ authorization: 'Bearer b', 'content-type': 'application/x-ndjson' })
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${String(calls[0]?.body)}`
  const expected = createHmac('sha256', 'a secret of some length').update(signed).digest('base64')
  expect(headers['webhook-signature']).toBe(`v1,${expected}`)
  expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60)
})

const SYSLOG = { host: 'gw 1', facility: 13, structuredDataId: 'sallyport@32473', maxMessageBytes: 8192 }

test('syslog: the header, structured data with its escapes, the record', () => {
  const [first, second, third] = RECORDS.map(record => messageOf(record, SYSLOG))
  expect(first).toBe(
    `<110>1 2026-11-23T10:30:00.007Z gw_1 sallyport test served [sallyport@32473 id="${IDS[0]}" seq="1" requestId="req_1" ` +
      `team="blue" app="invoices" env="production" model="llama-3.1-8b" outcome="served" status="200"] ${LINES[0]}`,
  )
  expect(second).toMatch(/^<108>1 /)
  expect(third).toContain(' team="a\\"\\]\\\\ b" ')
})

test('syslog: a record that is too long is shortened, and says so', () => {
  const guard = Array.from({ length: 100 }, (_, at) => ({
    stage: 'output' as const,
    rule: `RULE_${at}`,
    action: 'redact',
    count: 1,
  }))
  const [record] = recordsOf(sampleChain(1, () => ({ guard })))
  if (!record) throw new Error('no record')
  expect(Buffer.byteLength(record.line)).toBeGreaterThan(4096)
  const message = messageOf(record, { ...SYSLOG, maxMessageBytes: 4096 })
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096)
  expect(message).toContain(' shortened="true"] {')
  const rest = JSON.parse(message.slice(message.indexOf('] {') + 2))
  expect(rest).toMatchObject({ hash: record.id, seq: 1, outcome: 'served', inputTokens: 812 })
  expect(messageOf(record, { ...SYSLOG, maxMessageBytes: 500 })).toMatch(/shortened="true"\]$/)
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { OtlpExporter } from '../../../adapters/otlp/exporter.ts'
import type { OtlpConfig } from '../../../src/config/telemetry-config.ts'
import { MetricStore } from '../../../src/metrics/metric-store.ts'
import type { Upstream, UpstreamCall, UpstreamReceiver } from '../../../src/ports/upstream.ts'
import type { Span } from '../../../src/tracing/span.ts'

type Act = (receiver: UpstreamReceiver) => void

const answers =
  (status: number): Act =>
  receiver => {
    receiver.onHead(status, {})
    receiver.onEnd()
  }
const fails: Act = receiver => receiver.onFailure({ kind: 'connect', message: 'ECONNREFUSED' })
const hangs: Act = () => {}

const config: OtlpConfig = {
  url: 'http://collector:4318',
  protocol: 'json',
  headers: { 'x-key': 'secret' },
  timeoutMs: 5000,
  service: 'sallyport',
  traces: { sample: 1, callers: [], propagate: true },
  metricsEveryMs: 600_000,
}

const span = (name: string): Span => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: undefined,
  isParentRemote: false,
  name,
  kind: 'internal',
  startMs: 1,
  endMs: 2,
  attributes: {},
  failure: undefined,
})

let act: Act
let calls: UpstreamCall[]
let cancelled: number
let events: string[]
let counts: Record<string, number>

const upstream: Upstream = {
  send(call, receiver) {
    calls.push(call)
    queueMicrotask(() => act(receiver))
    return { pause() {}, resume() {}, cancel: () => void cancelled++ }
  },
  close: async () => {},
}

const start = (more: Partial<OtlpConfig> = {}) =>
  new OtlpExporter({
    config: { ...config, ...more },
    upstream,
    telemetry: {
      log: (_, event) => void events.push(event),
      count: (_: string, labels: Readonly<Record<string, string>> = {}, by = 1) => {
        const name = Object.values(labels).join(' ')
        counts[name] = (counts[name] ?? 0) + by
      },
      metrics: () => new MetricStore().families(),
    },
    instance: 'i',
  })

/** The names of the spans of each export. */
const exported = () =>
  calls
    .filter(({ url }) => url.endsWith('/v1/traces'))
    .map(({ body }) => {
      const { resourceSpans } = JSON.parse(new TextDecoder().decode(body as Uint8Array)) as {
        resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[]
      }
      return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(each => each.name)))
    })

beforeEach(() => {
  vi.useFakeTimers()
  act = answers(200)
  calls = []
  cancelled = 0
  events = []
  counts = {}
})
afterEach(() => void vi.useRealTimers())

test('spans go together, with the headers of the configuration', async () => {
  const exporter = start()
  exporter.add(span('a'))
  exporter.add(span('b'))
  await vi.advanceTimersByTimeAsync(1000)
  expect(exported()).toEqual([['a', 'b']])
  expect(calls[0]).toMatchObject({
    url: 'http://collector:4318/v1/traces',
    headers: { 'x-key': 'secret', 'content-type': 'application/json' },
  })
  expect(counts).toEqual({ 'traces sent': 1 })
})

test('many do not wait for the second to be over, and go 512 at a time', async () => {
  const exporter = start()
  for (let i = 0; i < 1100; i++) exporter.add(span(String(i)))
  await vi.advanceTimersByTimeAsync(0)
  expect(exported().map(({ length }) => length)).toEqual([512, 512])
  await vi.advanceTimersByTimeAsync(1000)
  expect(exported().map(({ length }) => length)).toEqual([512, 512, 76])
})

test.each([
  ['refuses connections', fails],
  ['is overloaded', answers(503)],
])('a collector that %s is left alone for longer and longer, and then gets what waited', async (_, act_) => {
  act = act_
  const exporter = start()
  exporter.add(span('a'))
  await vi.advanceTimersByTimeAsync(7000)
  // After 1 s, and then pauses of 1, 2 and 4.
  expect(exported()).toHaveLength(3)
  exporter.add(span('b'))
  act = answers(200)
  await vi.advanceTimersByTimeAsync(4000)
  expect(exported().at(-1)).toEqual(['a', 'b'])
  expect(events).toEqual(['otlp_export_failed', 'otlp_exports_again'])
  expect(counts).toEqual({ 'traces failed': 3, 'traces sent': 1 })
})

test('what a collector does not understand is not sent again', async () => {
  act = answers(400)
  const exporter = start()
  exporter.add(span('a'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(exported()).toHaveLength(1)
  expect(counts).toEqual({ 'traces failed': 1, 'traces refused': 1 })
})

test('a collector that never answers is given up after the time-out; beyond its bound the queue drops', async () => {
  act = hangs
  const exporter = start()
  for (let i = 0; i < 10_000; i++) exporter.add(span('x'))
  expect(counts).toEqual({ 'traces queue_full': 10_000 - 8192 })
  await vi.advanceTimersByTimeAsync(4999)
  expect(cancelled).toBe(0)
  await vi.advanceTimersByTimeAsync(1)
  expect(cancelled).toBe(1)
  expect(exported()).toHaveLength(1)
})

test('an answer without end is cut off', async () => {
  act = receiver => {
    receiver.onHead(200, {})
    for (let i = 0; i < 5; i++) receiver.onData(new Uint8Array(16 * 1024))
  }
  const exporter = start()
  exporter.add(span('a'))
  await vi.advanceTimersByTimeAsync(1000)
  expect(cancelled).toBe(1)
  expect(counts).toEqual({ 'traces sent': 1 })
})

test('all metrics are sent every so often, and once more at the end, with the spans that wait', async () => {
  const exporter = start({ metricsEveryMs: 2000, protocol: 'protobuf' })
  await vi.advanceTimersByTimeAsync(4000)
  expect(calls.map(({ url }) => url)).toEqual(Array(2).fill('http://collector:4318/v1/metrics'))
  expect(calls[0]?.headers).toMatchObject({ 'content-type': 'application/x-protobuf' })
  exporter.add(span('last'))
  await exporter.close()
  expect(calls.map(({ url }) => url.split('/').at(-1))).toEqual(['metrics', 'metrics', 'traces', 'metrics'])
  exporter.add(span('too late'))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(calls).toHaveLength(4)
})

test('the end of the process does not wait for a collector that hangs', async () => {
  act = hangs
  const exporter = start()
  exporter.add(span('a'))
  const closed = exporter.close()
  await vi.advanceTimersByTimeAsync(2000)
  await closed
  expect(counts).toMatchObject({ 'traces failed': 2, 'metrics failed': 2 })
})

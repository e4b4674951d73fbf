import { describe, expect, test } from 'vitest'
import type { Span } from '../../../src/tracing/span.ts'
import { parseTraceParent } from '../../../src/tracing/traceparent.ts'
import { Tracer } from '../../../src/tracing/tracer.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

describe('traceparent', () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`cc-${TRACE}-${SPAN}-01-what-will-be`, true],
  ])('%s', (header, sampled) => {
    expect(parseTraceParent(header)).toEqual({ traceId: TRACE, spanId: SPAN, sampled })
  })

  test.each([
    [undefined],
    [''],
    [`00-${TRACE}-${SPAN}`],
    [`00-${TRACE}-${SPAN}-01-more`],
    [`ff-${TRACE}-${SPAN}-01`],
    [`00-${'0'.repeat(32)}-${SPAN}-01`],
    [`00-${TRACE}-${'0'.repeat(16)}-01`],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`],
    [`00-${TRACE}-${SPAN}-01\n`],
    [`cc-${TRACE}-${SPAN}-01-${'x'.repeat(300)}`],
  ])('none: %s', header => {
    expect(parseTraceParent(header)).toBeUndefined()
  })
})

describe('a tracer', () => {
  const spans: Span[] = []
  let random = 0
  const clock = { now: () => 1_000_000, monotonic: () => 500 }
  const tracer = (sample: number, propagate = true) =>
    new Tracer({ sample, propagate, clock, ended: span => spans.push(span), random: () => random })

  test('traces its part of the requests, and what a caller decides whose word counts', () => {
    random = 0.2
    expect(tracer(0.2).begin(undefined, 0)).toBeUndefined()
    expect(tracer(0.21).begin(undefined, 0)).toBeDefined()
    const parent = { traceId: TRACE, spanId: SPAN }
    expect(tracer(0).begin({ ...parent, sampled: true }, 0)).toBeDefined()
    expect(tracer(1).begin({ ...parent, sampled: false }, 0)).toBeUndefined()
  })

  test('steps are children of the request, which is a child of its caller', async () => {
    spans.length = 0
    const trace = tracer(0).begin({ traceId: TRACE, spanId: SPAN, sampled: true }, 400)
    if (!trace) throw new Error('not sampled')
    const call = trace.newSpanId()
    expect(trace.traceParent(call)).toBe(`00-${TRACE}-${call}-01`)
    expect(await trace.during('wait', Promise.resolve(7))).toBe(7)
    await expect(trace.during('fail', Promise.reject(new Error('no')))).rejects.toThrow('no')
    trace.step({ name: 'call', kind: 'client', spanId: call, startedAt: 450, failure: 'upstream_failed' })
    trace.finish('POST /v1', { a: 1 }, undefined)
    const root = spans.at(-1) as Span
    expect(root).toMatchObject({
      parentSpanId: SPAN,
      isParentRemote: true,
      kind: 'server',
      startMs: 999_900,
      endMs: 1e6,
    })
    expect(spans.map(({ name, traceId }) => [name, traceId])).toEqual(
      ['wait', 'fail', 'call', 'POST /v1'].map(name => [name, TRACE]),
    )
    expect(spans.slice(0, 3).map(({ parentSpanId }) => parentSpanId)).toEqual(Array(3).fill(root.spanId))
    expect(spans[2]).toMatchObject({ spanId: call, kind: 'client', failure: 'upstream_failed', startMs: 999_950 })
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(4)
  })

  test('tells servers nothing where it should not', () => {
    random = 0
    expect(tracer(1, false).begin(undefined, 0)?.traceParent(SPAN)).toBeUndefined()
  })
})

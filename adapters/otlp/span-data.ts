import type { Span } from '../../src/tracing/span.ts'
import { hrTime } from './hr-time.ts'
import type { Scope, SpanData } from './scope.ts'

/** Numbers of OpenTelemetry's API, whose package is not loaded for them. */
const KINDS = { internal: 0, server: 1, client: 2 } as const
const UNSET = 0
const ERROR = 2
const SAMPLED = 1

export function spanData(span: Span, { resource, instrumentationScope }: Scope): SpanData {
  const { traceId, parentSpanId, isParentRemote, failure } = span
  const context = (spanId: string, isRemote: boolean) => ({ traceId, spanId, traceFlags: SAMPLED, isRemote })
  const [startTime, endTime] = [hrTime(span.startMs), hrTime(span.endMs)]
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context(span.spanId, false),
    ...(parentSpanId !== undefined && { parentSpanContext: context(parentSpanId, isParentRemote) }),
    startTime,
    endTime,
    duration: hrTime(span.endMs - span.startMs),
    status: failure === undefined ? { code: UNSET } : { code: ERROR, message: failure },
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

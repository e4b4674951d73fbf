import {
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import type { OtlpConfig } from '../../src/config/telemetry-config.ts'
import type { MetricFamily } from '../../src/metrics/family.ts'
import type { Span } from '../../src/tracing/span.ts'
import { metricsData } from './metric-data.ts'
import { createScope } from './scope.ts'
import { spanData } from './span-data.ts'

/** Bodies of OTLP requests. */
export interface Encoder {
  spans(spans: readonly Span[]): Uint8Array
  /** Cumulative since `startMs`, milliseconds since the epoch. */
  metrics(families: readonly MetricFamily[], startMs: number, nowMs: number): Uint8Array
}

const NOTHING = new Uint8Array(0)

/** @param resource says who sends: `service.name` and the like */
export function createEncoder(protocol: OtlpConfig['protocol'], resource: Readonly<Record<string, string>>): Encoder {
  const scope = createScope(resource)
  const isJson = protocol === 'json'
  const traces = isJson ? JsonTraceSerializer : ProtobufTraceSerializer
  const metrics = isJson ? JsonMetricsSerializer : ProtobufMetricsSerializer
  return {
    spans: spans => traces.serializeRequest(spans.map(span => spanData(span, scope))) ?? NOTHING,
    metrics: (families, startMs, nowMs) =>
      metrics.serializeRequest(metricsData(families, scope, startMs, nowMs)) ?? NOTHING,
  }
}

import type { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'

/** A finished span as OpenTelemetry's SDK has them. */
export type SpanData = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number]

/** Who sends: the process, and the part of it that measures. */
export type Scope = Pick<SpanData, 'resource' | 'instrumentationScope'>

export function createScope(attributes: Readonly<Record<string, string>>): Scope {
  const resource: Scope['resource'] = {
    attributes,
    getRawAttributes: () => Object.entries(attributes),
    merge: other => other ?? resource,
  }
  return { resource, instrumentationScope: { name: 'sallyport' } }
}

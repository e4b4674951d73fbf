import type { ClientTlsConfig } from './client-tls-config.ts'

export interface TelemetryConfig {
  /** Absent: nothing is sent. */
  readonly otlp?: OtlpConfig
}

/** Where metrics and traces are sent. */
export interface OtlpConfig {
  /** Without `/v1/traces`, and without a slash at its end. */
  readonly url: string
  readonly protocol: 'protobuf' | 'json'
  /** Names are lower-case; values are never logged. */
  readonly headers: Readonly<Record<string, string>>
  readonly tls?: ClientTlsConfig
  readonly timeoutMs: number
  readonly service: string
  readonly traces: {
    /** From 0 to 1. */
    readonly sample: number
    /** Whose `traceparent` counts: all properties of one have to hold. */
    readonly callers: readonly CallerMatch[]
    readonly propagate: boolean
  }
  readonly metricsEveryMs: number
}

export interface CallerMatch {
  readonly team?: readonly string[]
  readonly app?: readonly string[]
  readonly env?: readonly string[]
}

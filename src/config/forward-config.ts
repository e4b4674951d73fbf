import type { ClientTlsConfig } from './client-tls-config.ts'

export type ForwardKind = 'splunk-hec' | 'elasticsearch' | 'otlp' | 'syslog' | 'http' | 'stdout'

/** A destination of the audit log: what all kinds have, and what each needs. */
export type ForwardConfig = ForwardSettings &
  (
    | {
        readonly kind: 'splunk-hec'
        /** Without a path. */
        readonly url: string
        readonly token: string
        readonly index?: string
        readonly source: string
        readonly sourcetype: string
        readonly ack: boolean
      }
    | { readonly kind: 'elasticsearch'; readonly url: string; readonly index: string; readonly headers: HeaderFields }
    /** The URL has its path, `/v1/logs`. */
    | { readonly kind: 'otlp'; readonly url: string; readonly headers: HeaderFields }
    | {
        readonly kind: 'http'
        readonly url: string
        readonly headers: HeaderFields
        readonly hmacSecret?: string
      }
    | {
        readonly kind: 'syslog'
        /** `tls:` or `tcp:`. */
        readonly url: string
        readonly facility: number
        readonly structuredDataId: string
        readonly maxMessageBytes: number
      }
    | { readonly kind: 'stdout' }
  )

/** Names are lower-case. Credentials are in them. */
type HeaderFields = Readonly<Record<string, string>>

export interface ForwardSettings {
  /** Unique; names the position, too. */
  readonly name: string
  readonly tls?: ClientTlsConfig
  readonly batch: { readonly records: number; readonly bytes: number; readonly waitMs: number }
  readonly timeoutMs: number
  readonly maxPauseMs: number
  /** Age of the oldest record that was not sent at which that is told. */
  readonly warnAfterMs: number
}

/** What spans say about themselves: never a text of a prompt or an answer, never a credential. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

/** One step of a request, over. Ids are lower-case hex: 32 digits of the trace, 16 of a span. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  /** The parent is the caller's. */
  readonly isParentRemote: boolean
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal'
  /** Milliseconds since the Unix epoch, with fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  /** Why it failed: an error code; undefined: it did not. */
  readonly failure: string | undefined
}

import type { ClientTlsConfig } from '../config/client-tls-config.ts'

/** Where a validator looks: at what the model is sent, or at what it answers. */
export type Stage = 'input' | 'output'

/** A classifier outside the gateway, as policy declares it. */
export interface ValidatorConfig {
  /** Unique; names it in records, metrics and refusals. */
  readonly name: string
  readonly kind: 'vllm-classify' | 'chat' | 'http'
  /** http: or https:, without credentials, query or fragment; where a path is put behind it, without a trailing slash. */
  readonly url: string
  readonly model?: string
  readonly apiKey?: string
  /** With https: only. */
  readonly tls?: ClientTlsConfig
  /** Sent with every call; names are lower-case. */
  readonly headers: Readonly<Record<string, string>>
  readonly on: readonly Stage[]
  /** What a bad verdict does. */
  readonly action: 'block' | 'flag'
  /** The score, from 0 to 1, from which a text is bad; absent: the validator's own word counts. */
  readonly threshold?: number
  /** `vllm-classify`: the labels that are bad; absent: all but those known to be harmless. */
  readonly labels?: readonly string[]
  /** `chat`: a policy prompt with `{text}` in it; absent: the text is the message. */
  readonly prompt?: string
  /** `http`: the name of a guard of a Guardrails AI server, which is then spoken to in its own words. */
  readonly guard?: string
  /** For the whole of one check, waiting included. */
  readonly timeoutMs: number
  /** What happens to a text that could not be checked. */
  readonly onFailure: 'block' | 'allow'
  readonly input: {
    /** `before`: the model sees nothing before the verdict. `alongside`: the caller sees nothing before it. */
    readonly mode: 'before' | 'alongside'
    /** UTF-16 units that the validator sees at once. */
    readonly window: number
    /** Windows of one request at the most. */
    readonly maxWindows: number
  }
  readonly output: {
    /** `hold`: text goes out behind its verdict. `alongside`: at once, and the answer is cut by a bad verdict. */
    readonly mode: 'hold' | 'alongside'
    readonly window: number
  }
  readonly cache: { readonly ttlMs: number; readonly entries: number }
  /** Calls at the same time. */
  readonly maxInFlight: number
}

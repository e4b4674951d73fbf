import type { QuotaLimit } from '../quota/limit.ts'
import type { ValidatorConfig } from '../validators/validator-config.ts'

/** What the guard does about one kind of finding. */
export type GuardAction = 'off' | 'flag' | 'redact' | 'mask' | 'hash' | 'pseudonymise' | 'block'
/** What the model brings has no sender whom it could be given back to. */
export type OutputAction = Exclude<GuardAction, 'pseudonymise'>
/** Injection is a property of a whole text: there is nothing to cut out of it. */
export type InjectionAction = 'off' | 'flag' | 'block'
export type UpstreamKind = 'llama.cpp' | 'vllm' | 'ollama' | 'openai'
export type TokenAlgorithm = 'EdDSA' | 'ES256' | 'RS256'
/** `embedded` (one instance, in memory) or the URL of a Redis or Valkey server. */
export type StateLocation = 'embedded' | `${'redis' | 'rediss'}${'' | '+cluster' | '+sentinel'}://${string}`

/** The configuration in force: defaults filled in, units resolved (`…Ms`, `…Bytes`), file paths absolute. */
export interface Config {
  readonly listen: ListenConfig
  /** Absent: plain HTTP, which only loopback (or `listen.insecure`) allows. */
  readonly tls?: TlsConfig
  /** Absent: nobody's word counts on who calls. */
  readonly proxies?: ProxiesConfig
  readonly state: StateLocation
  readonly tokens: TokensConfig
  /** At least one; ids are unique. */
  readonly models: readonly ModelConfig[]
  readonly timeouts: TimeoutsConfig
  /** Names are unique. */
  readonly quotas: readonly QuotaLimit[]
  readonly guard: GuardConfig
  readonly request: RequestConfig
  readonly audit: AuditConfig
}

export interface ListenConfig {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Plain HTTP on an address other machines can reach, said in so many words. */
  readonly insecure: boolean
}

/** PEM files, as absolute paths. */
export interface TlsConfig {
  readonly cert: string
  readonly key: string
  /** The authorities of callers. Present unless `clientAuth` is `off`. */
  readonly clientCa?: string
  readonly clientAuth: 'required' | 'optional' | 'off'
  /** Lists of revoked client certificates. */
  readonly crl?: string
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

/** How a proxy writes the certificate of its caller into a header. */
export type ClientCertFormat = 'rfc9440' | 'nginx-escaped-pem' | 'envoy-xfcc'

export interface ProxiesConfig {
  /** Addresses and networks (CIDR). */
  readonly addresses: readonly string[]
  /** Absent: they pass no certificates on. The header's name is lower-case. */
  readonly clientCert?: { readonly header: string; readonly format: ClientCertFormat }
  readonly forwardedFor: boolean
}

export interface TokensConfig {
  readonly issuer: string
  readonly audience: string
  /** The public keys, as the absolute path of a JWK Set, or an https: URL. */
  readonly jwks: string
  readonly maxLifetimeMs: number
  readonly algorithms: readonly TokenAlgorithm[]
  /** Only tokens that are bound to a client certificate count. */
  readonly requireBound: boolean
}

export interface ModelConfig {
  readonly id: string
  /** At least one. */
  readonly upstreams: readonly UpstreamConfig[]
  /** Prepended to every conversation; callers cannot remove it. */
  readonly systemPrompt?: string
  readonly maxOutputTokens?: number
  /** UTF-16 units over all texts of one request. */
  readonly maxPromptCharacters?: number
}

export interface UpstreamConfig {
  /** http: or https:, without a trailing slash, credentials, query or fragment. */
  readonly url: string
  readonly kind: UpstreamKind
  /** Requests at the same time. */
  readonly maxInFlight?: number
  readonly apiKey?: string
}

export interface TimeoutsConfig {
  /** From sending a request to the first byte of its answer. */
  readonly firstByteMs: number
  /** Between two chunks of an answer. */
  readonly idleMs: number
  /** For the whole answer. */
  readonly totalMs: number
}

/** Which callers an exception is for: each given property names all values that count. */
export interface GuardMatch {
  readonly team?: readonly string[]
  readonly app?: readonly string[]
  readonly env?: readonly string[]
  readonly model?: readonly string[]
}

/** What is done about the findings of one direction. */
export interface GuardSideConfig<Action extends GuardAction = GuardAction> {
  readonly pii: Action
  readonly secrets: Action
  /** By the name of a rule, built in or the company's own: goes before its group, its locale and its own action. */
  readonly rules: Readonly<Record<string, Action>>
  /** The packs of national forms that are on; absent: all. Rules without a locale are not concerned. */
  readonly locales?: readonly string[]
}

export interface GuardInputConfig extends GuardSideConfig {
  readonly injection: InjectionAction
}

export interface GuardOutputConfig extends GuardSideConfig<OutputAction> {
  /** UTF-16 units of one answer; longer ones are cut and end with the finish reason `length`. */
  readonly maxCharacters?: number
}

/** A rule of the company's own: a pattern, or a dictionary. */
export interface GuardRuleConfig {
  readonly name: string
  /** In the subset of `guard/pattern.ts`; absent where there are terms. */
  readonly pattern?: string
  /** Literal texts, as they were written; absent where there is a pattern. */
  readonly terms?: readonly string[]
  /** The file that the terms are from, as an absolute path. */
  readonly file?: string
  readonly on: readonly ('input' | 'output')[]
  /** `pseudonymise` only where `on` is input alone. */
  readonly action: GuardAction
  readonly caseSensitive: boolean
  /** No letter, digit or underscore stands directly in front of or behind a match. */
  readonly wholeWord: boolean
  /** Classes of characters that do not stand directly in front of, or behind, a match. */
  readonly notAfter?: string
  readonly notBefore?: string
  /** Words of which one stands shortly in front of a match. */
  readonly context?: readonly string[]
  /** In place of the label `[NAME_REDACTED]`. */
  readonly replacement?: string
}

/** Laid over the general settings, key by key, for the callers it matches; the first exception that matches counts. */
export interface GuardExceptionConfig {
  readonly match: GuardMatch
  readonly input?: Partial<GuardInputConfig>
  readonly output?: Partial<GuardOutputConfig>
  /** The names of the validators in force; absent: all. */
  readonly validators?: readonly string[]
}

export interface GuardConfig {
  readonly input: GuardInputConfig
  readonly output: GuardOutputConfig
  readonly rules: readonly GuardRuleConfig[]
  readonly exceptions: readonly GuardExceptionConfig[]
  /** Names are unique. */
  readonly validators: readonly ValidatorConfig[]
}

export interface RequestConfig {
  /** What happens to a request field the gateway does not know. */
  readonly unknownFields: 'refuse' | 'drop'
  readonly maxBodyBytes: number
  /** Hosts (with a port where it is not the scheme's own) that model servers may be sent to for images. */
  readonly mediaHosts: readonly string[]
}

export interface AuditConfig {
  /** Absolute path of the log. */
  readonly file: string
  /** Key of the prompts' HMAC-SHA-256; never logged. */
  readonly hmacSecret: string
  /** What happens to requests while the log cannot be written. */
  readonly onFailure: 'deny' | 'serve'
  /** Size at which a new file is begun. */
  readonly maxBytes: number
}

import type { Scope } from '../auth/scopes.ts'
import type { Limits } from '../firewall/limits.ts'
import type { ServerLimits } from '../http/server-limits.ts'
import type { QuotaLimit } from '../quota/limit.ts'
import type { ValidatorConfig } from '../validators/validator-config.ts'
import type { ClientTlsConfig } from './client-tls-config.ts'
import type { ForwardConfig } from './forward-config.ts'
import type { RetentionConfig } from './retention-schema.ts'
import type { TelemetryConfig } from './telemetry-config.ts'

/** What the guard does about one kind of finding. */
export type GuardAction = 'off' | 'flag' | 'redact' | 'mask' | 'hash' | 'pseudonymise' | 'block'
/** What the model brings has no sender whom it could be given back to. */
export type OutputAction = Exclude<GuardAction, 'pseudonymise'>
/** Injection is a property of a whole text: there is nothing to cut out of it. */
export type InjectionAction = 'off' | 'flag' | 'block'
export type UpstreamKind = 'llama.cpp' | 'vllm' | 'ollama' | 'openai'
/** Whether a prompt's tokens are counted by the model server before they are reserved: where it matters, each time, never. */
export type CountTokens = 'auto' | 'always' | 'never'
/** What becomes of instructions that callers give as system. */
export type CallerSystem = 'allow' | 'demote' | 'refuse'
export type TokenAlgorithm = 'EdDSA' | 'ES256' | 'RS256'
/** `embedded:` and the absolute path of a file (one instance), or the URL of a Redis or Valkey server. */
export type StateLocation = `embedded:${string}` | `${'redis' | 'rediss'}${'' | '+cluster' | '+sentinel'}://${string}`

/** The file of the embedded store; undefined where the state is in Redis. */
export function embeddedFile(state: StateLocation): string | undefined {
  return state.startsWith('embedded:') ? state.slice('embedded:'.length) : undefined
}

/** The configuration in force: defaults filled in, units resolved (`…Ms`, `…Bytes`), file paths absolute. */
export interface Config {
  readonly listen: ListenConfig
  /** Absent: plain HTTP, which only loopback (or `listen.insecure`) allows. */
  readonly tls?: TlsConfig
  /** Absent: nobody's word counts on who calls. */
  readonly proxies?: ProxiesConfig
  /** Absent: there is no admin listener. */
  readonly admin?: AdminConfig
  readonly state: StateLocation
  readonly tokens: TokensConfig
  /** At least one; ids are unique. */
  readonly models: readonly ModelConfig[]
  readonly timeouts: TimeoutsConfig
  /** Names are unique. */
  readonly quotas: readonly QuotaLimit[]
  /** Gateways that share the store. */
  readonly instances: number
  readonly admission: AdmissionConfig
  readonly guard: GuardConfig
  readonly request: RequestConfig
  readonly limits: LimitsConfig
  readonly audit: AuditConfig
  /** Absent: nothing is sent. */
  readonly telemetry?: TelemetryConfig
  /** Sealed folders of model files that the checklist looks at. */
  readonly weights: readonly WeightsConfig[]
}

/** All absolute paths. */
export interface WeightsConfig {
  readonly dir: string
  /** Absent: in the folder. */
  readonly manifest?: string
  /** The public key, or the private one, of which the public part counts. */
  readonly key: string
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

/** The listener of the admin API and of `/metrics`. */
export interface AdminConfig {
  readonly listen: ListenConfig
  /** The data listener's where the document has none. */
  readonly tls?: TlsConfig
  /** Absent: tokens are not issued over the admin API, and the process needs no private key. */
  readonly issue?: IssueConfig
  /** Hosts of registries that Ollama may pull models from. */
  readonly pullFrom: readonly string[]
}

export interface IssueConfig {
  /** Absolute path of the private signing key. */
  readonly key: string
  readonly maxTtlMs: number
  /** What an issued token may allow at the most. */
  readonly scopes: readonly Scope[]
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
  readonly revocation: RevocationConfig
  /** Answers to tokens with less of their life left than this say so. */
  readonly expiryWarningMs: number
  /** Other issuers; their names differ, also from `issuer`. */
  readonly trusted: readonly TrustedIssuerConfig[]
  readonly keyFetch: KeyFetchConfig
}

/** An identity provider whose access tokens are taken. */
export interface TrustedIssuerConfig {
  readonly issuer: string
  /** As in `TokensConfig`. */
  readonly jwks: string
  /** At least one, of which a token has to name one. */
  readonly audience: readonly string[]
  readonly algorithms: readonly TokenAlgorithm[]
  /** What `typ` may be, in lower case without `application/`; `none`: absent. */
  readonly types: readonly string[]
  readonly maxLifetimeMs: number
  /** What its tokens may allow at most. */
  readonly scopes: readonly Scope[]
  /** Where the claims are (`auth/claim-source.ts`); those not named have their own names and defaults. */
  readonly claims: Readonly<Partial<Record<MappedClaim, string>>>
}

export type MappedClaim = 'team' | 'app' | 'env' | 'scope' | 'models' | 'tokenId' | 'subject'

/** How key sets are fetched that are URLs. */
export interface KeyFetchConfig {
  readonly everyMs: number
  readonly cooldownMs: number
  readonly timeoutMs: number
  /** Also of files. */
  readonly maxStaleMs: number
  /** Absolute path of a PEM file: authorities beside the platform's. */
  readonly ca?: string
  /** Whether http: is allowed, to this machine alone. */
  readonly insecure: boolean
}

export interface RevocationConfig {
  /** For how long the last known revocations are gone by while no others can be read. */
  readonly maxAgeMs: number
  /** What happens to requests then. */
  readonly onFailure: 'deny' | 'serve'
}

export interface ModelConfig {
  readonly id: string
  /** At least one. */
  readonly upstreams: readonly UpstreamConfig[]
  /** Prepended to every conversation; callers cannot remove it. */
  readonly systemPrompt?: string
  readonly callerSystem: CallerSystem
  readonly countTokens: CountTokens
  /** The bounds of its requests: its own, else the general ones, else the defaults. */
  readonly limits: Limits
  readonly maxOutputTokens?: number
  /** UTF-16 units over all texts of one request. */
  readonly maxPromptCharacters?: number
  /** LoRA adapters that may be loaded over the admin API. Names are unique. */
  readonly adapters?: readonly AdapterConfig[]
}

export interface AdapterConfig {
  readonly name: string
  /** Where it lies on the model server. */
  readonly path: string
}

export interface UpstreamConfig {
  /** http: or https:, without a trailing slash, credentials, query or fragment. */
  readonly url: string
  readonly kind: UpstreamKind
  /** Requests at the same time, of this instance. */
  readonly maxInFlight?: number
  readonly apiKey?: string
  /** With https: only. */
  readonly tls?: ClientTlsConfig
  /** What vLLM separates the prompts that it caches by. */
  readonly cacheSalt: 'team' | 'none'
  /** Its share of new conversations beside those of the model's other servers; 0: none any more. */
  readonly weight: number
  /** How it is looked after; only servers that requests have a choice of are. */
  readonly health: HealthConfig
}

export interface HealthConfig {
  /** Absolute; of the server that the requests go to. */
  readonly url: string
  /** Absent: it is not asked how much it has to do. */
  readonly loadUrl?: string
  readonly everyMs: number
  readonly timeoutMs: number
}

export interface TimeoutsConfig {
  /** From sending a request to the first byte of its answer. */
  readonly firstByteMs: number
  /** Between two chunks of an answer. */
  readonly idleMs: number
  /** For the whole answer. */
  readonly totalMs: number
  /** For a model server's count of a prompt's tokens. */
  readonly countMs: number
}

/** Who goes next where every server of a model is full. */
export interface AdmissionConfig {
  /** Who has a share: teams, or each application of a team. */
  readonly per: 'team' | 'app'
  readonly queue: QueueConfig
  readonly maxWaitMs: number
  /** By team, or by `team/app`; 1 for those that are not named. */
  readonly weights: Readonly<Record<string, number>>
  /** Priority classes, the first goes first. */
  readonly priorities: readonly string[]
  /** The class of tokens that name none of them; one of `priorities`. */
  readonly defaultPriority: string
}

export interface QueueConfig {
  /** Requests that wait for one model: of one team (or application), and of all. 0: nobody waits. */
  readonly perTeam: number
  readonly total: number
  /** Bodies of all requests that wait, for whichever model. */
  readonly memoryBytes: number
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
  /** From this score on, over 0 to 1, a text counts as an injection. */
  readonly injectionThreshold: number
}

/** How a stream ends in which something is blocked: as one that a filter ended, or with an error event. */
export type OnBlock = 'content_filter' | 'error'

export interface GuardOutputConfig extends GuardSideConfig<OutputAction> {
  /** UTF-16 units of one answer; longer ones are cut and end with the finish reason `length`. */
  readonly maxCharacters?: number
  readonly onBlock: OnBlock
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

/** Bounds of the data listener. */
export interface LimitsConfig extends ServerLimits {
  /** From the end of a request's head to the last byte of its body. */
  readonly bodyTimeoutMs: number
}

export interface AuditConfig {
  /** Absolute path of the log. */
  readonly file: string
  /** Key of the prompts' HMAC-SHA-256; never logged. */
  readonly hmacSecret: string
  /** What happens to requests while the log cannot be written. */
  readonly onFailure: 'deny' | 'serve'
  /** Whether a record says that a request is about to be sent on, and whether that waits for the record. */
  readonly intent: 'durable' | 'written' | 'off'
  /** Size at which a new file is begun. */
  readonly maxBytes: number
  /** Age of its first record at which a new file is begun; undefined: at any age. */
  readonly maxAgeMs?: number
  /** Earlier keys, to find records by their prompt; never logged. */
  readonly previousHmacSecrets: readonly string[]
  /** Signed heads of the chain; undefined: none. */
  readonly checkpoint?: CheckpointConfig
  /** What is deleted when; undefined: nothing ever. */
  readonly retention?: RetentionConfig
  /** Where records are sent. */
  readonly forward: readonly ForwardConfig[]
}

export interface CheckpointConfig {
  readonly everyMs: number
  /** Absolute path of the private key, an Ed25519 JWK. */
  readonly key: string
  /** Names the log in its checkpoints; undefined: after the host and the file. */
  readonly origin?: string
  /** Absolute paths of keys that signed before, or of their public parts: what they signed still counts. */
  readonly previousKeys: readonly string[]
  /** Where they go. */
  readonly to: readonly CheckpointPlaceConfig[]
}

export type CheckpointPlaceConfig =
  /** `path` is absolute. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'http'; readonly url: string; readonly token?: string }

import type { Intent } from '../audit/log.ts'
import type { GuardFinding } from '../audit/record.ts'
import type { Principal } from '../auth/principal.ts'
import type { ModelConfig, OnBlock } from '../config/config.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { GuardSide } from '../guard/policy.ts'
import type { StandIns } from '../guard/stand-ins.ts'
import type { Endpoint } from '../openai/endpoints.ts'
import type { RequestBody } from '../openai/read-body.ts'
import type { PromptPrefix } from '../pool/prompt-prefix.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClientCertificate, Connection } from '../ports/transport.ts'
import type { Forwarded } from '../proxies/trusted-proxies.ts'
import type { Allotment } from '../quota/allotment.ts'
import type { InputSize } from '../quota/input-size.ts'
import type { Trace } from '../tracing/tracer.ts'
import type { Place } from './place.ts'
import type { PromptOverhead } from './prompt-overhead.ts'
import { requestIdOf } from './request-id.ts'

/** The rules that apply to one request. */
export interface RequestPolicy {
  readonly injection: 'off' | 'flag' | 'block'
  /** The score from which a text counts as one. */
  readonly injectionThreshold: number
  readonly input: GuardSide
  readonly output: GuardSide
  /** Redacts for the record what `output` lets through; null where that is nothing. */
  readonly record: GuardSide | null
  readonly maxCharacters: number
  readonly onBlock: OnBlock
  /** The names of the validators in force; undefined: all. */
  readonly validators: readonly string[] | undefined
}

/** The prompt's checks by validators. */
export interface InputCheck {
  /** Settles with what the checks beside the model's work come to; until then, nothing goes to the caller. */
  readonly late: Promise<Refusal | undefined>
  /** Nobody waits for them any more. */
  cancel(): void
}

/**
 * One request on its way through the gateway: what each stage has found out, for the stages behind it and for the record.
 * A field is set by the one stage that is named, and never changed after.
 */
export class Exchange {
  readonly requestId: string
  readonly method: string
  readonly endpoint: Endpoint
  readonly connection: Connection
  readonly receivedAt: number
  readonly startedAt: number
  readonly authorization: string | undefined
  /** Where the endpoint's own clients send their credential. */
  readonly apiKey: string | undefined
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined

  /** Set by authenticate, where a trusted proxy is in front: who is behind it. */
  forwarded: Forwarded | undefined
  /** Set by authenticate. */
  principal: Principal | undefined
  /** Set by begin-trace, where the request is traced. */
  trace: Trace | undefined
  /** Present where the token is about to expire: when, as the caller is told. */
  expires: string | undefined
  /** Set by authenticate: of a token that was refused although its signature is good. */
  refusedTokenId: string | undefined
  /** Set by read-request. */
  body: RequestBody | undefined
  promptHmac: string | undefined
  /** Set by authorise. */
  model: ModelConfig | undefined
  policy: RequestPolicy | undefined
  /** Set by guard-input. */
  promptCharacters = 0
  /** What values are called on their way to the model; undefined where none has another name. */
  standIns: StandIns | undefined
  /** What the prompt has beside its texts. */
  overhead: PromptOverhead | undefined
  /** Tokens, on the safe side; what a model server has counted, once one has. */
  estimatedInput = 0
  /** How many prompts it is: only completions can be several. */
  prompts = 1
  /** Set by reserve-quota, where limits count tokens of input. */
  input: InputSize | undefined
  /**
   * Names the reservation. Not the request id: callers choose that one, and whoever repeats an id is not charged again.
   */
  readonly reservationId = crypto.randomUUID()
  /** Set by reserve-quota: what was taken, until it is settled. */
  reservation: Allotment | undefined
  limitHeaders: Readonly<Record<string, string>> = {}
  /** Set by record, where the beginning is recorded. */
  intent: Intent | undefined
  /** Set by validate-input, where validators look at the prompt. */
  inputCheck: InputCheck | undefined
  /** Set by forward. */
  place: Place | undefined
  /** How long it waited for its place; undefined where it did not. */
  queuedMs: number | undefined
  /** Set by forward, where requests for the model have a choice of servers. */
  promptPrefix: PromptPrefix | undefined
  upstream: string | undefined
  firstByteAt: number | undefined
  /** A model server may have worked on the prompt, whether or not an answer came of it. */
  modelWorked = false
  /** Added to by both guards. */
  readonly findings: GuardFinding[] = []
  /** Why it was refused or failed. */
  errorCode: ErrorCode | undefined
  reason: string | undefined

  private leave: (() => void) | undefined
  private interrupted = false
  /** The caller has gone away. */
  gone = false
  /** The token was revoked after it had let the request in: nothing more goes out but the refusal. */
  revoked = false

  constructor(method: string, endpoint: Endpoint, connection: Connection, clock: Clock) {
    this.method = method
    this.endpoint = endpoint
    this.connection = connection
    this.requestId = requestIdOf(connection, this.reservationId)
    this.receivedAt = clock.now()
    this.startedAt = clock.monotonic()
    this.authorization = connection.header('authorization')
    this.apiKey = endpoint.takesApiKey ? connection.header('x-api-key') : undefined
    this.contentType = connection.header('content-type')
    this.contentEncoding = connection.header('content-encoding')
    connection.onGone(() => {
      this.gone = true
      this.inputCheck?.cancel()
      this.leave?.()
    })
  }

  /** The caller's address. */
  get address(): string {
    return this.forwarded ? this.forwarded.address : this.connection.address
  }

  /** The caller's certificate. */
  get certificate(): ClientCertificate | undefined {
    return this.forwarded ? this.forwarded.certificate : this.connection.clientCertificate
  }

  /**
   * Lets go of the prompt: an answer may stream for minutes, and nothing behind its head looks at the prompt again.
   * Who restores values has them.
   */
  forgetPrompt(): void {
    if (this.body) this.body = { ...this.body, fields: {} }
    this.standIns = undefined
  }

  /** Sets what happens when the caller goes away, or its token is revoked, from now on; at once if that has happened. */
  onGone(callback: () => void): void {
    this.leave = callback
    if (this.gone || this.interrupted || this.revoked) callback()
  }

  /** Ends the request, at whatever stage it is. */
  revoke(): void {
    this.revoked = true
    this.inputCheck?.cancel()
    this.leave?.()
  }

  /** Ends the call to a model server, as if the caller had gone away: the one in progress, or the next. */
  interrupt(): void {
    this.interrupted = true
    this.leave?.()
  }
}

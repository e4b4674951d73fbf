import { VerdictCache } from '../auth/verdict-cache.ts'
import { Breaker } from '../breaker.ts'
import type { ModelConfig, UpstreamConfig } from '../config/config.ts'
import { COUNT_CACHE_ENTRIES, COUNT_CACHE_MS, MAX_COUNTS_IN_FLIGHT, NO_COUNTS_MS } from '../config/limits.ts'
import { SERVER_KINDS } from '../firewall/kinds.ts'
import type { TokenCounter } from '../firewall/server-kind.ts'
import { type EndpointRules, servedBy, upstreamFields } from '../firewall/upstream-fields.ts'
import type { Clock } from '../ports/clock.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Upstream } from '../ports/upstream.ts'
import { askerOf, type Said } from './ask.ts'
import { isObject } from './model-server.ts'

export interface TokenCountServices {
  readonly upstream: Upstream
  readonly clock: Pick<Clock, 'monotonic'>
  readonly hashing: Hashing
  readonly telemetry: Telemetry
  /** Longest wait for one count. */
  readonly timeoutMs: number
}

/** A prompt to be counted. */
export interface Uncounted {
  readonly model: ModelConfig
  /** Whose prompt it is: nobody learns by the time of an answer what others have asked. */
  readonly team: string
  readonly endpoint: EndpointRules
  /** As the guard has left them: the model server sees what its model would. */
  readonly fields: Readonly<Record<string, unknown>>
  /** What a count can be; another number is none. */
  readonly least: number
  readonly most: number
}

export interface TokenCount {
  readonly tokens: number
  /** Whose count it is. */
  readonly server: UpstreamConfig
}

type Outcome = 'counted' | 'cached' | 'busy' | 'unsupported' | 'failed' | 'timeout' | 'implausible' | 'disagreed'

/** A server that has no such endpoint says so by one of these. */
const UNSUPPORTED: ReadonlySet<number> = new Set([404, 405, 501])

/**
 * Asks model servers how many tokens a prompt has. Counts are remembered by a hash of what was sent. One server is asked, once
 * and for a short time: whoever gets no answer goes by an estimate. A server that fails, or is found to be wrong, is left
 * alone for a while.
 */
export class TokenCounts {
  private readonly services: TokenCountServices
  private readonly known = new VerdictCache<TokenCount>(COUNT_CACHE_ENTRIES)
  private readonly servers = new WeakMap<UpstreamConfig, Askable>()
  private turn = 0

  constructor(services: TokenCountServices) {
    this.services = services
  }

  /** Whether one of the model's servers could be asked about a request to this endpoint. */
  isOffered({ upstreams }: ModelConfig, path: string): boolean {
    return upstreams.some(({ kind }) => SERVER_KINDS[kind].serves[path]?.counter !== undefined)
  }

  /** The number of tokens, of one of the `servers`; undefined where none says it in time. Never rejects. */
  async count(prompt: Uncounted, servers: readonly UpstreamConfig[]): Promise<TokenCount | undefined> {
    const { model, endpoint } = prompt
    const { clock, hashing } = this.services
    const able = servers.filter(({ kind }) => SERVER_KINDS[kind].serves[endpoint.path]?.counter)
    const server = able[this.turn++ % able.length]
    const counter = server && servedBy(server, endpoint.path).counter
    if (!server || !counter) return undefined
    const body = bodyFor(prompt, server, counter)
    if (body === undefined) return undefined
    const key = hashing.sha256(`${server.kind} ${prompt.team} ${model.id} ${counter.path} ${body}`)
    const now = clock.monotonic()
    const known = this.known.get(key, now)
    if (known) {
      this.tell(model, 'cached')
      return known
    }
    const outcome = await this.ask(server, counter, body, prompt)
    if (typeof outcome === 'string') {
      this.tell(model, outcome)
      return undefined
    }
    this.tell(model, 'counted')
    const count = { tokens: outcome, server }
    this.known.set(key, count, now + COUNT_CACHE_MS)
    return count
  }

  /** A server's count was not that of its own answer: what it says is not relied on for a while. */
  disagreed(model: ModelConfig, server: UpstreamConfig): void {
    this.askable(server).restUntil = this.services.clock.monotonic() + NO_COUNTS_MS
    this.tell(model, 'disagreed')
  }

  private async ask(
    server: UpstreamConfig,
    { path, answer }: TokenCounter,
    body: string,
    { least, most }: Uncounted,
  ): Promise<number | Outcome> {
    const { upstream, clock, timeoutMs } = this.services
    const state = this.askable(server)
    const { breaker } = state
    const now = clock.monotonic()
    if (now < state.restUntil) return 'unsupported'
    if (state.inFlight >= MAX_COUNTS_IN_FLIGHT || !breaker.admits(now)) return 'busy'
    state.inFlight++
    const said = await askerOf(upstream, server)({ method: 'POST', path, body, timeoutMs })
    state.inFlight--
    const counted = readCount(said, answer, least, most)
    if (typeof counted === 'number') breaker.answered()
    else breaker.failed(clock.monotonic())
    if (counted === 'unsupported') state.restUntil = now + NO_COUNTS_MS
    return counted
  }

  private askable(server: UpstreamConfig): Askable {
    let state = this.servers.get(server)
    if (!state) this.servers.set(server, (state = { breaker: new Breaker(), inFlight: 0, restUntil: 0 }))
    return state
  }

  private tell({ id }: ModelConfig, outcome: Outcome): void {
    this.services.telemetry.count('sallyport_input_counts_total', { model: id, outcome })
  }
}

/** What is known of a server as one that is asked. */
interface Askable {
  readonly breaker: Breaker
  inFlight: number
  /** It is not asked before this moment. */
  restUntil: number
}

/** What the server is sent; undefined where it cannot count such a prompt. */
function bodyFor(
  { fields, endpoint, model }: Uncounted,
  server: UpstreamConfig,
  { takes, text, sets }: TokenCounter,
): string | undefined {
  const all = upstreamFields(fields, endpoint, model, servedBy(server, endpoint.path), undefined)
  const sent: Record<string, unknown> = {}
  for (const name of takes) if (all[name] !== undefined) sent[name] = all[name]
  if (text) {
    const texts = [all[text.from]].flat()
    if (texts.length !== 1 || typeof texts[0] !== 'string') return undefined
    sent[text.as] = texts[0]
  }
  return JSON.stringify({ ...sent, ...sets })
}

function readCount(said: Said, answer: string, least: number, most: number): number | Outcome {
  if (!said.ok) return said.code === 'upstream_timeout' ? 'timeout' : 'failed'
  if (UNSUPPORTED.has(said.status)) return 'unsupported'
  if (said.status !== 200 || !isObject(said.json)) return 'failed'
  const value = said.json[answer]
  const count = Array.isArray(value) ? value.length : value
  return Number.isSafeInteger(count) && Number(count) >= least && Number(count) <= most ? Number(count) : 'implausible'
}

import type { ModelConfig, UpstreamConfig } from '../config/config.ts'
import { PREFIX_ENTRIES } from '../config/limits.ts'
import { type Choice, choose, type Peer, type Preference } from '../pool/choose.ts'
import type { CheckedServer } from '../pool/health-checks.ts'
import { PrefixMemory } from '../pool/prefix-memory.ts'
import type { PromptPrefix } from '../pool/prompt-prefix.ts'
import { BROKEN, type HealthChange, ServerHealth, type Trust, USABLE } from '../pool/server-health.ts'
import type { Clock } from '../ports/clock.ts'
import type { Telemetry } from '../ports/telemetry.ts'

export interface PoolOptions {
  readonly models: readonly ModelConfig[]
  readonly clock: Pick<Clock, 'monotonic'>
  readonly telemetry: Telemetry
  /** From 0 up to 1. */
  readonly random?: () => number
  /** Called when a server may be sent more than before, or no longer takes requests. */
  readonly changed?: (model: ModelConfig) => void
}

/** How a request to a server went, as far as it tells something about the server. */
export type ServerOutcome =
  /** It began to answer. */
  | { readonly kind: 'answered' }
  /** It could not be connected to; or failed, or was silent, before it began to answer. `reason` is for operators. */
  | { readonly kind: 'unreachable' | 'failed'; readonly reason: string }
  /** It has too much to do, and says for how long it wants to be left alone. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number | undefined }
  /** Nobody waited for it any more. */
  | { readonly kind: 'abandoned' }

/**
 * The model servers: what is under way at each, which of them are usable, and which one gets the next request. Servers
 * that are not well are passed over while there is another; the last one is never given up.
 */
export class UpstreamPool {
  private readonly options: PoolOptions
  private readonly random: () => number
  /** Of the configuration in force, by the ids of models. */
  private current: ReadonlyMap<string, Group> = new Map()
  /** The same, and those that requests still know from a configuration before. */
  private readonly groups = new WeakMap<ModelConfig, Group>()
  private readonly members = new WeakMap<UpstreamConfig, Member>()
  private readonly memory = new PrefixMemory(PREFIX_ENTRIES)

  constructor(options: PoolOptions) {
    this.options = options
    this.random = options.random ?? Math.random
    this.configure(options.models)
  }

  /**
   * Takes the models of a new configuration. What is known of a server of the same URL and kind, and what is under way there,
   * goes on counting; requests that know a model from before get its servers of now, as long as there are any of a kind that
   * they were checked for.
   */
  configure(models: readonly ModelConfig[]): void {
    const before = this.current
    const current = new Map<string, Group>()
    for (const model of models) {
      const group = before.get(model.id) ?? new Group()
      group.configure(model, this.random)
      current.set(model.id, group)
      this.groups.set(model, group)
      for (const member of group.members) this.members.set(member.server, member)
    }
    this.current = current
  }

  /** Whether requests for the model have a choice: only then it matters what their prompts begin with. */
  hasChoice(model: ModelConfig): boolean {
    return model.upstreams.length > 1
  }

  /**
   * A server of the model that is usable, has room and is not in `tried`; null for none.
   * @param prompt brings the request to the server that has its beginning in its cache
   */
  take(model: ModelConfig, tried: ReadonlySet<UpstreamConfig>, prompt?: PromptPrefix): UpstreamConfig | null {
    const peers = this.peersOf(model, tried)
    const choice = peers.length > 1 ? choose(peers, this.preferenceOf(prompt), this.random) : only(peers)
    if (!choice) return null
    const { peer } = choice
    peer.inFlight++
    if (!this.hasChoice(model)) return peer.server
    peer.health.taken()
    if (prompt) this.memory.remember(prompt, peer.index)
    this.options.telemetry.count('sallyport_pool_choices_total', CHOICES[choice.reason])
    return peer.server
  }

  /** Whether a server is left that may have room later, though it may be full now. */
  canServe(model: ModelConfig, tried: ReadonlySet<UpstreamConfig>): boolean {
    return this.peersOf(model, tried).length > 0
  }

  /** The servers that a new request could go to, whether or not they have room. */
  usable(model: ModelConfig): readonly UpstreamConfig[] {
    return this.peersOf(model, NOBODY).map(({ server }) => server)
  }

  release(server: UpstreamConfig): void {
    const member = this.members.get(server)
    if (member) member.inFlight = Math.max(0, member.inFlight - 1)
  }

  /** Takes note of how a request went. */
  report(server: UpstreamConfig, outcome: ServerOutcome): void {
    const member = this.members.get(server)
    if (!member || member.isAlone) return
    const { health } = member
    const now = this.options.clock.monotonic()
    switch (outcome.kind) {
      case 'answered':
        member.wellAt = now
        return this.change(member, health.answered())
      case 'busy':
        return health.busy(outcome.retryAfterMs, now)
      case 'abandoned':
        return health.abandoned()
      default:
        return this.change(member, health.failed(outcome.kind, now), outcome.reason)
    }
  }

  /** Sends a server no new requests for its model, or sends it some again; those under way finish. */
  drain(server: UpstreamConfig, isDraining: boolean): void {
    const member = this.members.get(server)
    if (!member || member.isDraining === isDraining) return
    member.isDraining = isDraining
    this.change(member, isDraining ? 'draining' : 'undrained')
  }

  /** Whether a server gets no new requests for its model, by its weight or by hand. */
  isDraining(server: UpstreamConfig): boolean {
    return this.members.get(server)?.isDraining ?? false
  }

  /** Requests under way at a server, for its model. */
  inFlightOf(server: UpstreamConfig): number {
    return this.members.get(server)?.inFlight ?? 0
  }

  /** Each server of each model as it is now. A model's only server is always usable. */
  states(): { model: string; upstream: string; usable: boolean; inFlight: number }[] {
    const now = this.options.clock.monotonic()
    return [...this.all()].map(({ model, server, isAlone, isDraining, health, inFlight }) => ({
      model: model.id,
      upstream: server.url,
      usable: !isDraining && (isAlone || health.trust(now) !== BROKEN),
      inFlight,
    }))
  }

  /** Whether some server was well within this time. */
  wellWithin(ms: number): boolean {
    const since = this.options.clock.monotonic() - ms
    for (const { wellAt } of this.all()) if (wellAt >= since) return true
    return false
  }

  /** The servers that there is a choice of, each once, as their health checks see them. */
  checkedServers(): CheckedServer[] {
    const byUrl = new Map<string, Member[]>()
    for (const { members } of this.current.values()) {
      if (members.length < 2) continue
      for (const member of members) {
        const { url } = member.server.health
        byUrl.set(url, [...(byUrl.get(url) ?? []), member])
      }
    }
    return [...byUrl.values()].map(members => this.checkedServer(members))
  }

  private *all(): Iterable<Member> {
    for (const { members } of this.current.values()) yield* members
  }

  /** One server, as a member of each model that it serves. */
  private checkedServer(members: readonly Member[]): CheckedServer {
    const { kind, apiKey, health } = (members[0] as Member).server
    const { url, loadUrl, everyMs, timeoutMs } = health
    return {
      kind,
      healthUrl: url,
      loadUrl,
      apiKey,
      everyMs,
      timeoutMs,
      checked: reason => {
        const isGood = reason === undefined
        const now = this.options.clock.monotonic()
        let told = false
        for (const member of members) {
          if (isGood) member.wellAt = now
          const change = member.health.checked(isGood)
          if (!change) continue
          if (!told) this.tell(member, change, reason)
          told = true
          this.options.changed?.(member.model)
        }
      },
      reported: requests => {
        const ours = members.reduce((sum, { inFlight }) => sum + inFlight, 0)
        for (const member of members) member.foreign = Math.max(0, requests - ours)
      },
    }
  }

  /**
   * Those that come into question, of the best that there are: as long as one server is usable, the others wait. For a second
   * attempt, broken ones are none: the caller would only wait longer for its error.
   */
  private peersOf(model: ModelConfig, tried: ReadonlySet<UpstreamConfig>): Member[] {
    const group = this.groups.get(model)
    const members =
      group === undefined || group.model === model ? (group?.members ?? NO_MEMBERS) : group.membersFor(model)
    const now = members.length > 1 ? this.options.clock.monotonic() : 0
    let best: Trust = BROKEN
    let peers: Member[] = []
    for (const member of members) {
      if (member.isDraining || tried.has(member.server)) continue
      const trust = members.length > 1 ? member.health.trust(now) : USABLE
      if (trust > best || (trust === BROKEN && tried.size > 0)) continue
      if (trust < best) peers = []
      best = trust
      peers.push(member)
    }
    return peers
  }

  private preferenceOf(prompt: PromptPrefix | undefined): Preference {
    if (!prompt) return NONE
    return { conversation: this.memory.conversation(prompt), prefix: this.memory.prefix(prompt) }
  }

  private change(member: Member, change: ServerChange | undefined, reason?: string): void {
    if (!change) return
    this.tell(member, change, reason)
    this.options.changed?.(member.model)
  }

  private tell({ server }: Member, change: ServerChange, reason: string | undefined): void {
    const { telemetry } = this.options
    const isBad = change === 'down' || change === 'ejected'
    telemetry.count('sallyport_upstream_changes_total', { upstream: server.url, change })
    telemetry.log(isBad ? 'warn' : 'info', `upstream_${change}`, { upstream: server.url, ...(isBad && { reason }) })
  }
}

/** What happens to a server as others see it: to its health, or by the hand of an administrator. */
type ServerChange = HealthChange | 'draining' | 'undrained'

/** The servers of one model, through all configurations that have it. */
class Group {
  model: ModelConfig | undefined
  members: readonly Member[] = []
  /** Numbers are not used again: what is remembered of a server that is gone leads nowhere. */
  private numbers = 0

  configure(model: ModelConfig, random: () => number): void {
    if (this.model === model) return
    const left = [...this.members]
    this.model = model
    this.members = model.upstreams.map(server => {
      const at = left.findIndex(known => known.server.url === server.url && known.server.kind === server.kind)
      const [member = new Member(model, server, this.numbers++, random)] = at < 0 ? [] : left.splice(at, 1)
      member.configure(model, server)
      return member
    })
  }

  /** For a request that knows the model from before: servers of the kinds that it was checked for. */
  membersFor({ upstreams }: ModelConfig): readonly Member[] {
    return this.members.filter(({ server }) => upstreams.some(({ kind }) => kind === server.kind))
  }
}

class Member implements Peer {
  model: ModelConfig
  server: UpstreamConfig
  readonly index: number
  readonly health: ServerHealth
  isDraining: boolean
  inFlight = 0
  /** Requests of others, when it was last asked. */
  foreign = 0
  wellAt = Number.NEGATIVE_INFINITY

  constructor(model: ModelConfig, server: UpstreamConfig, index: number, random: () => number) {
    this.model = model
    this.server = server
    this.index = index
    this.health = new ServerHealth(random)
    this.isDraining = server.weight === 0
  }

  /** Takes a new configuration. What was drained, or not, by hand stays so unless the configuration changes its mind. */
  configure(model: ModelConfig, server: UpstreamConfig): void {
    if ((server.weight === 0) !== (this.server.weight === 0)) this.isDraining = server.weight === 0
    this.model = model
    this.server = server
  }

  get capacity(): number | undefined {
    return this.server.maxInFlight
  }

  get weight(): number {
    // One that is drained by configuration and undrained by hand counts like any other.
    return this.server.weight || 1
  }

  /** There is no other server to prefer to it. */
  get isAlone(): boolean {
    return this.model.upstreams.length === 1
  }

  get load(): number {
    return this.inFlight + this.foreign
  }

  get hasRoom(): boolean {
    return this.capacity === undefined || this.inFlight < this.capacity
  }
}

const NONE: Preference = {}
const NO_MEMBERS: readonly Member[] = []
const NOBODY: ReadonlySet<UpstreamConfig> = new Set()

const CHOICES = {
  conversation: Object.freeze({ reason: 'conversation' }),
  prefix: Object.freeze({ reason: 'prefix' }),
  load: Object.freeze({ reason: 'load' }),
}

function only(peers: readonly Member[]): Choice<Member> | null {
  const [peer] = peers
  return peer?.hasRoom ? { peer, reason: 'load' } : null
}

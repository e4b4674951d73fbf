import { FlowHeap, type HeapFlow } from './flow-heap.ts'

export interface FairQueueOptions {
  /** How many priority classes there are. Class 0 goes first. */
  readonly classes: number
  /** A team with twice the weight gets twice the tokens. Above 0. */
  readonly weightOf: (team: string) => number
  /** Requests that may wait, of one team over all classes and of all teams. */
  readonly perTeam: number
  readonly total: number
}

/** A request that waits. */
export interface Ticket<T> {
  readonly item: T
}

/** What a request that has begun was charged, to be corrected once by what it used. */
export interface Charge {
  /** Tokens that it may use at the most. */
  readonly declared: number
  /** Tokens that it was charged. */
  readonly charged: number
}

/**
 * Classes that go first are passed over when one behind them has been passed over this many times in a row: strict
 * priority, and yet everybody has one turn in sixteen.
 */
export const PATIENCE = 15

/** A team's habits are forgotten by an eighth with each request. */
const LEARNING = 1 / 8
/** Bounds of what a team is taken to use of what its requests allow. */
const LEAST_SHARE = 1 / 1024
const MOST_SHARE = 8
/** Teams that are remembered before those with nothing to remember are dropped. */
const TEAMS_BEFORE_SWEEP = 1024

/**
 * Who goes next where several requests run at the same time: start-time fair queueing (Goyal, Vin, Cheng: "Start-time
 * Fair Queuing", SIGCOMM 1996), with several in service as in SFQ(D) (Jin, Chase, Kaur: "Interposed Proportional Sharing
 * for a Storage Service Utility", SIGMETRICS 2004). Requests cost tokens, and what a request will use is only known when
 * it is over: teams are charged what their requests can be expected to use, by what their earlier ones used of what
 * they allowed, and are corrected by the true use, as in "Fairness in Serving Large Language Models" (Sheng et al., OSDI
 * 2024).
 *
 * - Between teams that always have somebody waiting in one class, tokens per weight differ by no more than what runs at
 *   the same time, and what was charged too much or too little for it.
 * - A team that comes in with nothing owed is next, however many wait.
 * - Within a team and class, the order is that of arrival.
 * - An idle team saves nothing up.
 *
 * Every operation is O(log teams), and O(classes). Pure: no clock, no timers.
 */
export class FairQueue<T> {
  private readonly options: FairQueueOptions
  private readonly levels: readonly Level[]
  private readonly teams = new Map<string, Team>()
  private sweepAt = TEAMS_BEFORE_SWEEP
  private entered = 0
  private running = 0
  /** The weights of the teams that wait. */
  private waitingWeight = 0
  private waiting = 0

  constructor(options: FairQueueOptions) {
    this.options = options
    this.levels = Array.from({ length: options.classes }, () => new Level())
  }

  /** Requests that wait. */
  get size(): number {
    return this.waiting
  }

  /** Requests of a team that wait. */
  sizeOf(team: string): number {
    return this.teams.get(team)?.waiting ?? 0
  }

  /** How many would go before a request of the team that came in now, as far as can be told without the classes. */
  aheadOf(name: string): number {
    const team = this.teams.get(name)
    if (!team || team.waiting === 0) return 0
    return Math.min(this.waiting, team.waiting * (this.waitingWeight / team.weight))
  }

  /** Charges a request that begins without waiting. Nobody may be waiting. */
  begin(team: string, level: number, declared: number): Charge {
    const flow = this.flowOf(team, level)
    flow.wake()
    return this.charge(flow, declared)
  }

  /** Puts a request in line; says what is full if it may not wait. */
  enter(team: string, level: number, declared: number, item: T): Ticket<T> | 'full' | 'team_full' {
    if (this.waiting >= this.options.total) return 'full'
    return this.sizeOf(team) >= this.options.perTeam ? 'team_full' : this.admit(team, level, declared, item)
  }

  /** Puts a request in line, however many there are. */
  admit(team: string, level: number, declared: number, item: T): Ticket<T> {
    const flow = this.flowOf(team, level)
    const ticket = new Waiting(item, declared, flow)
    if (!flow.head) {
      flow.wake()
      flow.order = this.entered
      flow.level.flows.add(flow)
    }
    flow.append(ticket)
    this.entered++
    this.waiting++
    if (flow.team.waiting++ === 0) this.waitingWeight += flow.team.weight
    return ticket
  }

  /** Takes a request out of the line, wherever it is in it. Whether it was there. */
  leave(ticket: Ticket<T>): boolean {
    const waiting = ticket as Waiting<T>
    const flow = waiting.flow
    if (!flow) return false
    this.takeOut(waiting, flow)
    return true
  }

  /** Whose turn it is, without a change. */
  next(): Ticket<T> | undefined {
    return this.nextLevel()?.flows.first()?.head as Waiting<T> | undefined
  }

  /** Begins the request whose turn it is; throws where nobody waits. */
  start(): Charge {
    const level = this.nextLevel()
    const flow = level?.flows.first()
    if (!level || !flow?.head) throw new RangeError('nobody waits')
    const { declared } = flow.head
    const charge = this.charge(flow, declared)
    this.takeOut(flow.head, flow)
    if (flow.head) level.flows.moved(flow)
    this.age(level)
    return charge
  }

  /** Corrects a charge, once, by what was used. 0: the request came to nothing, which says nothing about the team. */
  settle(charge: Charge, used: number): void {
    const settled = charge as RunningCharge
    if (settled.over) return
    settled.over = true
    const { flow, declared, charged } = settled
    const { team, level } = flow
    if (used > 0) team.learn(used / declared)
    flow.tag += (used - charged) / team.weight
    level.latest = Math.max(level.latest, flow.tag)
    if (flow.head) level.flows.moved(flow)
    team.running--
    if (--this.running === 0 && this.waiting === 0) for (const each of this.levels) each.now = each.latest
  }

  private charge(flow: Flow, declared: number): RunningCharge {
    const { level, team } = flow
    const charged = team.expectedOf(declared)
    level.now = Math.max(level.now, flow.tag)
    flow.tag += charged / team.weight
    level.latest = Math.max(level.latest, flow.tag)
    team.running++
    this.running++
    return new RunningCharge(flow, Math.max(1, declared), charged)
  }

  private takeOut(ticket: Waiting<unknown>, flow: Flow): void {
    flow.unlink(ticket)
    this.waiting--
    if (--flow.team.waiting === 0) this.waitingWeight -= flow.team.weight
    if (flow.head) return
    flow.level.flows.remove(flow)
    if (flow.level.flows.size === 0) flow.level.passedOver = 0
  }

  /** The first class that somebody waits in, unless one behind it has been passed over too often. */
  private nextLevel(): Level | undefined {
    let first: Level | undefined
    let patient: Level | undefined
    for (const level of this.levels) {
      if (level.flows.size === 0) continue
      first ??= level
      if (level.passedOver >= PATIENCE && level.passedOver > (patient?.passedOver ?? 0)) patient = level
    }
    return patient ?? first
  }

  private age(served: Level): void {
    served.passedOver = 0
    for (let at = this.levels.indexOf(served) + 1; at < this.levels.length; at++) {
      const level = this.levels[at] as Level
      if (level.flows.size > 0) level.passedOver++
    }
  }

  private flowOf(name: string, level: number): Flow {
    let team = this.teams.get(name)
    if (!team) {
      if (this.teams.size >= this.sweepAt) this.sweep()
      team = new Team(this.options.weightOf(name))
      this.teams.set(name, team)
    }
    return (team.flows[level] ??= new Flow(team, this.levels[level] as Level))
  }

  /** Drops the teams that nothing has to be remembered of. Rare enough to cost each new team a few steps. */
  private sweep(): void {
    for (const [name, team] of this.teams) if (team.isForgettable()) this.teams.delete(name)
    this.sweepAt = Math.max(TEAMS_BEFORE_SWEEP, 2 * this.teams.size)
  }
}

/** A priority class. */
class Level {
  /** Its flows with requests that wait. */
  readonly flows = new FlowHeap<Flow>()
  /** Virtual time: the tag of the request that began last, in tokens by weight. Never goes back. */
  now = 0
  /** The latest tag that any flow has had. */
  latest = 0
  /** Requests of classes before this one that began since its last, while somebody waited in it. */
  passedOver = 0
}

class Team {
  readonly weight: number
  readonly flows: (Flow | undefined)[] = []
  waiting = 0
  running = 0
  /** What its requests use of what they allow; undefined until one has shown it. */
  private share: number | undefined

  constructor(weight: number) {
    this.weight = weight
  }

  /** What a request is expected to use of the tokens that it declares. */
  expectedOf(declared: number): number {
    return Math.max(1, declared * (this.share ?? 1))
  }

  learn(seen: number): void {
    const share = Math.min(MOST_SHARE, Math.max(LEAST_SHARE, seen))
    this.share = this.share === undefined ? share : this.share + (share - this.share) * LEARNING
  }

  isForgettable(): boolean {
    if (this.waiting > 0 || this.running > 0) return false
    return this.flows.every(flow => !flow || flow.tag <= flow.level.now)
  }
}

/** The requests of one team in one class: a linked list, so that one can leave from anywhere. */
class Flow implements HeapFlow {
  readonly team: Team
  readonly level: Level
  tag = 0
  order = 0
  place = -1
  head: Waiting<unknown> | undefined
  private tail: Waiting<unknown> | undefined

  constructor(team: Team, level: Level) {
    this.team = team
    this.level = level
  }

  /**
   * Has a request again: begins where the others are, so that an idle team has saved nothing up; and not behind those
   * that are given back what they were charged too much.
   */
  wake(): void {
    const { now, flows } = this.level
    this.tag = Math.max(this.tag, Math.min(now, flows.first()?.tag ?? now))
  }

  append(ticket: Waiting<unknown>): void {
    ticket.before = this.tail
    if (this.tail) this.tail.after = ticket
    else this.head = ticket
    this.tail = ticket
  }

  unlink(ticket: Waiting<unknown>): void {
    const { before, after } = ticket
    if (before) before.after = after
    else this.head = after
    if (after) after.before = before
    else this.tail = before
    ticket.before = ticket.after = ticket.flow = undefined
  }
}

class Waiting<T> implements Ticket<T> {
  readonly item: T
  readonly declared: number
  /** Undefined once it waits no more. */
  flow: Flow | undefined
  before: Waiting<unknown> | undefined
  after: Waiting<unknown> | undefined

  constructor(item: T, declared: number, flow: Flow) {
    this.item = item
    this.declared = declared
    this.flow = flow
  }
}

class RunningCharge implements Charge {
  readonly flow: Flow
  readonly declared: number
  readonly charged: number
  over = false

  constructor(flow: Flow, declared: number, charged: number) {
    this.flow = flow
    this.declared = declared
    this.charged = charged
  }
}

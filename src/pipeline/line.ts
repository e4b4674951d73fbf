import { type Charge, FairQueue, type Ticket } from '../admission/fair-queue.ts'
import { Pace } from '../admission/pace.ts'
import type { AdmissionConfig, ModelConfig, UpstreamConfig } from '../config/config.ts'
import { MAX_RETRY_MS, MIN_RETRY_MS } from '../config/limits.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Clock } from '../ports/clock.ts'
import { retryHeaders } from '../quota/headers.ts'
import type { Exchange } from './exchange.ts'
import { largestAnswer } from './largest-answer.ts'
import type { Admitted, Place } from './place.ts'
import type { QueueMeter, WaitEnd } from './queue-meter.ts'
import type { UpstreamPool } from './upstream-pool.ts'

export interface LineServices {
  readonly model: ModelConfig
  readonly admission: AdmissionConfig
  readonly pool: UpstreamPool
  readonly clock: Clock
  readonly meter: QueueMeter
  readonly hall: WaitingHall
}

/** What the lines of all models share. */
export interface WaitingHall {
  /** Size of the bodies of all requests that wait. */
  bytes: number
  /** Nobody is let in to wait any more. */
  closed: boolean
}

type Tried = ReadonlySet<UpstreamConfig>

interface Waiter {
  readonly exchange: Exchange
  readonly tried: Tried
  readonly since: number
  readonly timer: ReturnType<typeof setTimeout>
  readonly resolve: (result: Admitted) => void
  /** Another one where the line has been put in order anew. */
  ticket: Ticket<Waiter> | undefined
}

/**
 * The requests for one model that wait because its servers are full. A line moves when a place is released, when somebody
 * comes or goes, and when it is told that servers have changed.
 */
export class Line {
  private readonly services: LineServices
  private model: ModelConfig
  private admission: AdmissionConfig
  private queue: FairQueue<Waiter>
  private levels: ReadonlyMap<string, number>
  private readonly pace = new Pace()
  private running = 0

  constructor(services: LineServices) {
    this.services = services
    this.model = services.model
    this.admission = services.admission
    this.queue = queueOf(services.admission)
    this.levels = levelsOf(services.admission)
  }

  /** Takes a new configuration. Other rules put the line in order anew; nobody is sent away for want of room in it. */
  configure(model: ModelConfig, admission: AdmissionConfig): void {
    this.model = model
    if (admission === this.admission) return
    const before = this.queue
    this.admission = admission
    this.queue = queueOf(admission)
    this.levels = levelsOf(admission)
    for (let ticket = before.next(); ticket; ticket = before.next()) {
      before.leave(ticket)
      const { item } = ticket
      const { exchange } = item
      item.ticket = this.queue.admit(this.whoOf(exchange), this.levelOf(exchange), costOf(exchange), item)
    }
  }

  /** Nobody waits, and nobody is served: nothing would be lost with it. */
  get isIdle(): boolean {
    return this.queue.size === 0 && this.running === 0
  }

  /** A place at once where there is one and nobody waits; else the request gets in line. */
  take(exchange: Exchange, model: ModelConfig, tried: Tried): Admitted | Promise<Admitted> {
    const { pool } = this.services
    if (this.queue.size === 0) {
      const server = pool.take(model, tried, exchange.promptPrefix)
      if (server) {
        return this.hold(server, this.queue.begin(this.whoOf(exchange), this.levelOf(exchange), costOf(exchange)))
      }
    }
    return pool.canServe(model, tried) ? this.wait(exchange, tried) : { kind: 'nowhere' }
  }

  /** Lets in whoever there is room for. */
  move(): void {
    const { pool } = this.services
    for (let ticket = this.queue.next(); ticket; ticket = this.queue.next()) {
      const waiter = ticket.item
      // As it knows it: what it was checked for goes by that.
      const { model = this.model } = waiter.exchange
      const server = pool.take(model, waiter.tried, waiter.exchange.promptPrefix)
      if (server) {
        const charge = this.queue.start()
        this.end(waiter, 'admitted')
        waiter.resolve(this.hold(server, charge))
      } else if (pool.canServe(model, waiter.tried)) {
        // Whoever is behind waits too, even for a server that this one has found unreachable.
        return
      } else {
        this.remove(waiter, 'nowhere', () => ({ kind: 'nowhere' }))
      }
    }
  }

  /** Sends everybody away who waits. */
  dismiss(): void {
    for (let ticket = this.queue.next(); ticket; ticket = this.queue.next()) {
      this.remove(ticket.item, 'dismissed', () => refused(SHUTTING_DOWN))
    }
  }

  private wait(exchange: Exchange, tried: Tried): Admitted | Promise<Admitted> {
    const { admission, model } = this
    const { hall, meter, clock } = this.services
    if (hall.closed) return refused(SHUTTING_DOWN)
    const who = this.whoOf(exchange)
    if (hall.bytes + sizeOf(exchange) > admission.queue.memoryBytes) return this.full('queue_full', who)
    const { promise, resolve } = Promise.withResolvers<Admitted>()
    const timer = setTimeout(() => this.giveUp(waiter), admission.maxWaitMs)
    const waiter: Waiter = { exchange, tried, since: clock.monotonic(), timer, resolve, ticket: undefined }
    const ahead = this.queue.sizeOf(who)
    const ticket = this.queue.enter(who, this.levelOf(exchange), costOf(exchange), waiter)
    if (typeof ticket === 'string') {
      clearTimeout(timer)
      return this.full(ticket === 'full' ? 'queue_full' : 'team_queue_full', who)
    }
    waiter.ticket = ticket
    hall.bytes += sizeOf(exchange)
    meter.entered(teamOf(exchange), model.id, ahead)
    exchange.onGone(() => {
      this.remove(waiter, 'left', () => ({ kind: 'aborted' }))
      this.move()
    })
    this.move()
    return promise
  }

  private giveUp(waiter: Waiter): void {
    const who = this.whoOf(waiter.exchange)
    this.remove(waiter, 'timeout', () => this.full('queue_timeout', who))
    this.move()
  }

  /** Takes a request out of the line, unless it has had its turn. Whoever it held up may go then: `move` sees to that. */
  private remove(waiter: Waiter, end: WaitEnd, result: () => Admitted): void {
    if (!waiter.ticket || !this.queue.leave(waiter.ticket)) return
    this.end(waiter, end)
    waiter.resolve(result())
  }

  private end({ exchange, since, timer }: Waiter, end: WaitEnd): void {
    const { model } = this
    const { hall, meter, clock } = this.services
    clearTimeout(timer)
    const waitedMs = clock.monotonic() - since
    exchange.queuedMs = (exchange.queuedMs ?? 0) + waitedMs
    hall.bytes -= sizeOf(exchange)
    meter.ended(teamOf(exchange), model.id, end, waitedMs)
  }

  private hold(server: UpstreamConfig, charge: Charge): Place {
    const { queue } = this
    const { pool, clock } = this.services
    const since = clock.monotonic()
    this.running++
    return {
      kind: 'place',
      server,
      release: () => {
        pool.release(server)
        this.running--
        this.pace.add(clock.monotonic() - since)
        this.move()
      },
      settle: tokens => queue.settle(charge, tokens),
    }
  }

  private full(code: 'queue_full' | 'team_queue_full' | 'queue_timeout', who: string): Admitted {
    const ahead = Math.max(1, this.queue.aheadOf(who))
    const ms = this.pace.timeFor(ahead, this.running) ?? this.admission.maxWaitMs
    return refused({ code, headers: retryHeaders(Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, ms))) })
  }

  /** Whose share a request is of. */
  private whoOf({ principal }: Exchange): string {
    if (!principal) throw new Error('requests wait behind authenticate')
    return this.admission.per === 'team' ? principal.team : `${principal.team}/${principal.app}`
  }

  private levelOf({ principal }: Exchange): number {
    const { defaultPriority } = this.admission
    return this.levels.get(principal?.priority ?? defaultPriority) ?? this.levels.get(defaultPriority) ?? 0
  }
}

function queueOf({ queue, weights, priorities }: AdmissionConfig): FairQueue<Waiter> {
  const shares = new Map(Object.entries(weights))
  const weightOf = (who: string) => shares.get(who) ?? shares.get(who.split('/')[0] as string) ?? 1
  return new FairQueue({ ...queue, classes: priorities.length, weightOf })
}

function levelsOf({ priorities }: AdmissionConfig): ReadonlyMap<string, number> {
  return new Map(priorities.map((name, level) => [name, level]))
}

const SHUTTING_DOWN: Refusal = { code: 'shutting_down', headers: retryHeaders(MIN_RETRY_MS) }

function refused(refusal: Refusal): Admitted {
  return { kind: 'refused', refusal }
}

function costOf(exchange: Exchange): number {
  return exchange.estimatedInput + largestAnswer(exchange)
}

function sizeOf({ body }: Exchange): number {
  return body?.bytes ?? 0
}

function teamOf({ principal }: Exchange): string {
  return principal?.team ?? ''
}

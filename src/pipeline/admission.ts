import type { Config, ModelConfig, UpstreamConfig } from '../config/config.ts'
import type { Clock } from '../ports/clock.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Exchange } from './exchange.ts'
import { Line, type WaitingHall } from './line.ts'
import type { Admitted } from './place.ts'
import { QueueMeter } from './queue-meter.ts'
import type { UpstreamPool } from './upstream-pool.ts'

export interface AdmissionServices {
  readonly config: Pick<Config, 'admission' | 'models'>
  readonly pool: UpstreamPool
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/** Who goes next. The pool says which server; a model whose servers can be full has a line for those who wait. */
export class Admission {
  private readonly pool: UpstreamPool
  private readonly clock: Clock
  private readonly meter: QueueMeter
  private readonly hall: WaitingHall = { bytes: 0, closed: false }
  /** Of the configuration in force, by the ids of models. */
  private current: ReadonlyMap<string, Queueing> = new Map()
  /** The same, and those that requests still know from a configuration before. */
  private readonly known = new WeakMap<ModelConfig, Queueing>()
  /** Those that somebody may wait in. */
  private lines: ReadonlySet<Line> = new Set()

  constructor({ config, pool, clock, telemetry }: AdmissionServices) {
    this.pool = pool
    this.clock = clock
    this.meter = new QueueMeter(telemetry)
    this.configure(config)
  }

  /** Takes a new configuration, behind the pool. Who waits keeps waiting: for the servers of now, in the order of now. */
  configure({ admission, models }: AdmissionServices['config']): void {
    const { pool, clock, meter, hall } = this
    const current = new Map<string, Queueing>()
    const lines = new Set([...this.lines].filter(({ isIdle }) => !isIdle))
    for (const model of models) {
      const queueing = this.current.get(model.id) ?? { line: undefined }
      current.set(model.id, queueing)
      this.known.set(model, queueing)
      if (queueing.line) queueing.line.configure(model, admission)
      else if (model.upstreams.some(({ maxInFlight }) => maxInFlight !== undefined)) {
        queueing.line = new Line({ model, admission, pool, clock, meter, hall })
      }
      if (queueing.line) lines.add(queueing.line)
    }
    this.current = current
    this.lines = lines
    for (const line of lines) line.move()
  }

  /** A place at a server that is not in `tried`: at once where there is room and nobody waits, else in turn. */
  take(exchange: Exchange, model: ModelConfig, tried: ReadonlySet<UpstreamConfig>): Admitted | Promise<Admitted> {
    const queueing = this.known.get(model)
    if (queueing?.line) return queueing.line.take(exchange, model, tried)
    const server = this.pool.take(model, tried, exchange.promptPrefix)
    if (!server) return { kind: 'nowhere' }
    const release = () => {
      this.pool.release(server)
      // There may be one by now.
      queueing?.line?.move()
    }
    return { kind: 'place', server, release, settle: () => {} }
  }

  /** A server of the model has more room than before, or is gone. */
  changed(model: ModelConfig): void {
    this.known.get(model)?.line?.move()
  }

  /** Sends away whoever waits, and whoever would have to. */
  dismiss(): void {
    this.hall.closed = true
    for (const line of this.lines) line.dismiss()
  }
}

/** How requests for a model wait, through all configurations that have it. */
interface Queueing {
  /** Undefined where its servers cannot be full. Once there is one, it stays. */
  line: Line | undefined
}

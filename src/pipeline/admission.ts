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
  private readonly lines = new Map<ModelConfig, Line>()
  private readonly hall: WaitingHall = { bytes: 0, closed: false }

  constructor({ config, pool, clock, telemetry }: AdmissionServices) {
    this.pool = pool
    const { admission, models } = config
    const { hall } = this
    const meter = new QueueMeter(telemetry)
    for (const model of models) {
      if (model.upstreams.every(({ maxInFlight }) => maxInFlight === undefined)) continue
      this.lines.set(model, new Line({ model, admission, pool, clock, meter, hall }))
    }
  }

  /** A place at a server that is not in `tried`: at once where there is room and nobody waits, else in turn. */
  take(exchange: Exchange, model: ModelConfig, tried: ReadonlySet<UpstreamConfig>): Admitted | Promise<Admitted> {
    const line = this.lines.get(model)
    if (line) return line.take(exchange, tried)
    const server = this.pool.take(model, tried, exchange.promptPrefix)
    if (!server) return { kind: 'nowhere' }
    return { kind: 'place', server, release: () => this.pool.release(server), settle: () => {} }
  }

  /** A server of the model has more room than before, or is gone. */
  changed(model: ModelConfig): void {
    this.lines.get(model)?.move()
  }

  /** Sends away whoever waits, and whoever would have to. */
  dismiss(): void {
    this.hall.closed = true
    for (const line of this.lines.values()) line.dismiss()
  }
}

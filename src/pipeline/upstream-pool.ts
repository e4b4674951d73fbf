import type { ModelConfig, UpstreamConfig } from '../config/config.ts'

/** Counts what is under way at each model server, and picks the one with the most room. */
export class UpstreamPool {
  private readonly inFlight = new Map<UpstreamConfig, number>()

  /** The least busy server of the model that has room and is not in `tried`; null for none. */
  take(model: ModelConfig, tried: ReadonlySet<UpstreamConfig>): UpstreamConfig | null {
    let best: UpstreamConfig | null = null
    let bestLoad = Number.POSITIVE_INFINITY
    for (const server of model.upstreams) {
      if (tried.has(server)) continue
      const busy = this.inFlight.get(server) ?? 0
      const room = server.maxInFlight ?? Number.POSITIVE_INFINITY
      if (busy >= room) continue
      const load = Number.isFinite(room) ? busy / room : busy / UNBOUNDED
      if (load < bestLoad) {
        best = server
        bestLoad = load
      }
    }
    if (best) this.inFlight.set(best, (this.inFlight.get(best) ?? 0) + 1)
    return best
  }

  inFlightOf(server: UpstreamConfig): number {
    return this.inFlight.get(server) ?? 0
  }

  /** Whether a server is left that may have room later, though it may be full now. */
  canServe(model: ModelConfig, tried: ReadonlySet<UpstreamConfig>): boolean {
    return model.upstreams.some(server => !tried.has(server))
  }

  release(server: UpstreamConfig): void {
    this.inFlight.set(server, Math.max(0, (this.inFlight.get(server) ?? 0) - 1))
  }
}

/** What a server without a declared `maxInFlight` is taken to have room for, when loads are compared. */
const UNBOUNDED = 64

import type { UpstreamKind } from '../config/config.ts'
import type { Upstream } from '../ports/upstream.ts'
import { ask } from './ask.ts'
import { loadIn } from './reported-load.ts'

/** A server that is asked at regular intervals how it is. */
export interface CheckedServer {
  readonly kind: UpstreamKind
  readonly healthUrl: string
  /** Present: it is asked how much it has to do. */
  readonly loadUrl: string | undefined
  readonly apiKey: string | undefined
  readonly everyMs: number
  readonly timeoutMs: number
  /** @param reason why it is not well, for operators; undefined: it is */
  checked(reason: string | undefined): void
  /** @param requests that it works on or has waiting, of everybody */
  reported(requests: number): void
}

/** Intervals differ by this much, so that the gateway's instances do not ask all at once. */
const JITTER = 0.2
/** The first look is soon, and not at all servers in the same moment. */
const FIRST_MS = 250
/** vLLM's metrics are some 60 KB; with many models, more. */
const MAX_METRICS_BYTES = 1024 * 1024

/** Looks after servers, one check of each at a time. */
export class HealthChecks {
  private readonly upstream: Upstream
  private readonly random: () => number
  private readonly timers = new Map<CheckedServer, ReturnType<typeof setTimeout>>()
  private closed = false

  constructor(upstream: Upstream, random: () => number) {
    this.upstream = upstream
    this.random = random
  }

  start(servers: Iterable<CheckedServer>): void {
    for (const server of servers) this.schedule(server, this.random() * Math.min(FIRST_MS, server.everyMs))
  }

  close(): void {
    this.closed = true
    for (const timer of this.timers.values()) clearTimeout(timer)
  }

  private schedule(server: CheckedServer, ms: number): void {
    if (this.closed) return
    this.timers.set(
      server,
      setTimeout(() => void this.round(server), ms),
    )
  }

  private async round(server: CheckedServer): Promise<void> {
    await this.check(server)
    this.schedule(server, server.everyMs * (1 - JITTER + 2 * JITTER * this.random()))
  }

  /** Never rejects. */
  private async check(server: CheckedServer): Promise<void> {
    const { healthUrl, apiKey, timeoutMs } = server
    const reason = await ask(this.upstream, { url: healthUrl, apiKey, timeoutMs, maxBytes: 0 }).then(
      // Whoever answers at all is there: a proxy in front may not show the path.
      ({ status }) => (status < 500 ? undefined : `answered ${status}`),
      messageOf,
    )
    if (this.closed) return
    server.checked(reason)
    if (reason === undefined && server.loadUrl !== undefined) await this.askLoad(server, server.loadUrl)
  }

  private async askLoad(server: CheckedServer, url: string): Promise<void> {
    const { kind, apiKey, timeoutMs } = server
    const question = { url, apiKey, timeoutMs, maxBytes: MAX_METRICS_BYTES }
    const text = await ask(this.upstream, question).then(
      reply => (reply.status === 200 ? reply.text : ''),
      () => '',
    )
    // A server that does not say how it is loaded is taken to work for nobody else.
    if (!this.closed) server.reported(loadIn(text, kind) ?? 0)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}

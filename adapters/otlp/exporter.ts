import {
  EXPORT_PAUSE_MS,
  LAST_EXPORT_MS,
  MAX_EXPORT_PAUSE_MS,
  MAX_EXPORTED_SPANS,
  MAX_QUEUED_SPANS,
  SPAN_DELAY_MS,
} from '../../src/config/limits.ts'
import type { OtlpConfig } from '../../src/config/telemetry-config.ts'
import type { MetricFamily } from '../../src/metrics/family.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import type { Upstream } from '../../src/ports/upstream.ts'
import type { Span } from '../../src/tracing/span.ts'
import { createEncoder, type Encoder } from './encoder.ts'
import { type Posted, post } from './post.ts'

export interface ExporterOptions {
  readonly config: OtlpConfig
  readonly upstream: Upstream
  /** With all metrics as they are now. */
  readonly telemetry: Telemetry & { metrics(): readonly MetricFamily[] }
  /** Names this process among those of the service. */
  readonly instance: string
}

type Signal = 'traces' | 'metrics'

/**
 * Sends spans and metrics to a collector. Requests never wait for it: spans wait in a queue with a bound, one export of each
 * signal is under way at a time, under a deadline, and what finds no room is dropped and counted. A collector that fails is
 * left alone for a while; spans wait for it, metrics are sent anew with the next reading.
 */
export class OtlpExporter {
  readonly #options: ExporterOptions
  readonly #encoder: Encoder
  readonly #startMs = Date.now()
  readonly #every: NodeJS.Timeout
  #queue: Span[] = []
  #timer: NodeJS.Timeout | undefined
  #pauseMs = 0
  #sending: Promise<void> | undefined
  #reading: Promise<void> | undefined
  #failing = false
  #closed = false

  constructor(options: ExporterOptions) {
    const { config, instance } = options
    this.#options = options
    this.#encoder = createEncoder(config.protocol, { 'service.name': config.service, 'service.instance.id': instance })
    this.#every = setInterval(() => void this.#sendMetrics(config.timeoutMs), config.metricsEveryMs).unref()
  }

  readonly add = (span: Span): void => {
    if (this.#closed || this.#queue.length >= MAX_QUEUED_SPANS) return this.#drop('traces', 'queue_full', 1)
    this.#queue.push(span)
    if (this.#timer === undefined && !this.#sending) this.#sendLater()
    else if (this.#queue.length === MAX_EXPORTED_SPANS && this.#pauseMs === 0) this.#sendSpans()
  }

  /** Sends what waits, for at most two seconds. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#every)
    clearTimeout(this.#timer)
    const timeoutMs = Math.min(LAST_EXPORT_MS, this.#options.config.timeoutMs)
    const deadline = performance.now() + timeoutMs
    await Promise.race([
      Promise.all([this.#sending, this.#reading]),
      new Promise(resolve => setTimeout(resolve, timeoutMs)),
    ])
    const last = async () => {
      while (this.#queue.length > 0 && performance.now() < deadline) {
        if (!(await this.#sendBatch(Math.max(1, deadline - performance.now())))) break
      }
    }
    if (performance.now() < deadline) await Promise.all([last(), this.#sendMetrics(timeoutMs)])
    this.#drop('traces', 'failed', this.#queue.length)
  }

  #sendLater(): void {
    this.#timer = setTimeout(() => this.#sendSpans(), Math.max(SPAN_DELAY_MS, this.#pauseMs)).unref()
  }

  #sendSpans(): void {
    if (this.#sending) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending = this.#sendBatch(this.#options.config.timeoutMs).then(sent => {
      this.#sending = undefined
      this.#pauseMs = sent ? 0 : Math.min(MAX_EXPORT_PAUSE_MS, Math.max(EXPORT_PAUSE_MS, this.#pauseMs * 2))
      if (this.#closed || this.#queue.length === 0) return
      if (sent && this.#queue.length >= MAX_EXPORTED_SPANS) this.#sendSpans()
      else this.#sendLater()
    })
  }

  /** Whether the collector is well. Spans that it may take later stay at the front of the queue. */
  async #sendBatch(timeoutMs: number): Promise<boolean> {
    const batch = this.#queue.slice(0, MAX_EXPORTED_SPANS)
    const posted = await this.#post('traces', this.#encoder.spans(batch), timeoutMs)
    if (posted.ok || !posted.again) this.#queue = this.#queue.slice(batch.length)
    if (!posted.ok && !posted.again) this.#drop('traces', 'refused', batch.length)
    return posted.ok
  }

  #sendMetrics(timeoutMs: number): Promise<void> | undefined {
    this.#reading ??= this.#post(
      'metrics',
      this.#encoder.metrics(this.#options.telemetry.metrics(), this.#startMs, Date.now()),
      timeoutMs,
    ).then(posted => {
      this.#reading = undefined
      if (!posted.ok) this.#drop('metrics', posted.again ? 'failed' : 'refused', 1)
    })
    return this.#reading
  }

  async #post(signal: Signal, body: Uint8Array, timeoutMs: number): Promise<Posted> {
    const { upstream, config, telemetry } = this.#options
    const posted = await post(upstream, config, `/v1/${signal}`, body, timeoutMs)
    telemetry.count('sallyport_otlp_exports_total', { signal, result: posted.ok ? 'sent' : 'failed' })
    // One line for an outage, and one for its end.
    if (!posted.ok && !this.#failing) telemetry.log('warn', 'otlp_export_failed', { signal, reason: posted.reason })
    if (posted.ok && this.#failing) telemetry.log('info', 'otlp_exports_again', { signal })
    this.#failing = !posted.ok
    return posted
  }

  #drop(signal: Signal, reason: 'queue_full' | 'refused' | 'failed', count: number): void {
    if (count > 0) this.#options.telemetry.count('sallyport_otlp_dropped_total', { signal, reason }, count)
  }
}

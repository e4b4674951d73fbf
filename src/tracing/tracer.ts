import type { Clock } from '../ports/clock.ts'
import type { Attributes, Span } from './span.ts'
import { formatTraceParent, type TraceParent } from './traceparent.ts'

export interface TracerOptions {
  /** Part of the requests that are traced, from 0 to 1, where no caller decides. */
  readonly sample: number
  /** Whether model servers are told the trace that a call belongs to. */
  readonly propagate: boolean
  readonly clock: Clock
  /** Takes each span when it is over. Must not throw or block. */
  readonly ended: (span: Span) => void
  /** From 0 up to 1. */
  readonly random?: () => number
}

/** Decides which requests are traced. */
export class Tracer {
  readonly options: TracerOptions
  private readonly random: () => number

  constructor(options: TracerOptions) {
    this.options = options
    this.random = options.random ?? Math.random
  }

  /**
   * The trace of a request; undefined: it is not traced.
   * @param parent of a caller whose word counts: its trace goes on, and whether it is sampled is its decision
   * @param startedAt on the monotonic clock
   */
  begin(parent: TraceParent | undefined, startedAt: number): Trace | undefined {
    const isSampled = parent ? parent.sampled : this.random() < this.options.sample
    return isSampled ? new Trace(this.options, parent, startedAt) : undefined
  }
}

/** A step that is over: times are on the monotonic clock. */
interface Step {
  readonly name: string
  readonly startedAt: number
  readonly kind?: Span['kind']
  readonly spanId?: string
  readonly attributes?: Attributes
  readonly failure?: string | undefined
}

const NOTHING: Attributes = {}

/** One request that is traced: its own span, and those of the steps that it waited for. */
export class Trace {
  private readonly options: TracerOptions
  private readonly traceId: string
  private readonly spanId = randomHex(8)
  private readonly parent: TraceParent | undefined
  private readonly startedAt: number
  /** From the monotonic clock to the epoch. */
  private readonly offsetMs: number

  constructor(options: TracerOptions, parent: TraceParent | undefined, startedAt: number) {
    const { clock } = options
    this.options = options
    this.parent = parent
    this.traceId = parent?.traceId ?? randomHex(16)
    this.startedAt = startedAt
    this.offsetMs = clock.now() - clock.monotonic()
  }

  newSpanId(): string {
    return randomHex(8)
  }

  /** What a call of this span says to the server; undefined where servers are told nothing. */
  traceParent(spanId: string): string | undefined {
    return this.options.propagate ? formatTraceParent(this.traceId, spanId) : undefined
  }

  /** A step of the request is over. */
  step(step: Step): void {
    this.end(step, step.spanId ?? randomHex(8), this.spanId, false)
  }

  /** Waits, and takes note of how long. */
  async during<T>(name: string, work: Promise<T>): Promise<T> {
    const startedAt = this.options.clock.monotonic()
    try {
      return await work
    } finally {
      this.step({ name, startedAt })
    }
  }

  /** The request itself is over. */
  finish(name: string, attributes: Attributes, failure: string | undefined): void {
    const step = { name, startedAt: this.startedAt, kind: 'server', attributes, failure } as const
    this.end(step, this.spanId, this.parent?.spanId, this.parent !== undefined)
  }

  private end(step: Step, spanId: string, parentSpanId: string | undefined, isParentRemote: boolean): void {
    const { name, startedAt, kind = 'internal', attributes = NOTHING, failure } = step
    this.options.ended({
      traceId: this.traceId,
      spanId,
      parentSpanId,
      isParentRemote,
      name,
      kind,
      startMs: startedAt + this.offsetMs,
      endMs: this.options.clock.monotonic() + this.offsetMs,
      attributes,
      failure,
    })
  }
}

/** Never all 0, which is no id: 8 bytes of 0 do not happen. */
function randomHex(bytes: number): string {
  let hex = ''
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) hex += byte.toString(16).padStart(2, '0')
  return hex
}

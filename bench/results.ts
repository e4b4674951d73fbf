import type { Measured } from './load/load.ts'
import type { TargetName } from './targets.ts'
import { FEW_STREAMS, MANY_STREAMS, type Workload } from './workloads.ts'

/** One run of the client, and how busy the cores were meanwhile (with whatever else the machine did). */
export interface Sample extends Measured {
  readonly proxyCoreBusy: number
  readonly loadCoreBusy: number
}

export interface TargetResult {
  /** Of each process that was started. */
  readonly startMs: readonly number[]
  readonly samples: Partial<Record<Workload['name'], Sample>>
}

export type Round = Partial<Record<TargetName, TargetResult>>

/** The numbers of one target in one round. */
export interface Figures {
  /** Requests a second with 64 connections, and what one costs the proxy in µs of processor time. */
  readonly requestsPerSecond: number
  readonly cpuPerRequest: number
  /** Of a request on its own, and from its sending to the first event of a stream, in µs. */
  readonly latencyP50: number
  readonly latencyP99: number
  readonly firstEventP50: number
  readonly firstEventP99: number
  /** 200 streams of 25 events a second: µs of processor time per event, and µs from the model server to the client. */
  readonly cpuPerEvent: number
  readonly transitP50: number
  readonly transitP99: number
  /** Events a second with 32 streams without pauses, and their cost. */
  readonly flatOutPerSecond: number
  readonly flatOutCpu: number
  /**
   * Resident memory before the first request and with 1,000 streams open, in MB; and what a stream adds, in KB, taken
   * between 200 streams and 1,000 of one process, so that what the process itself grows by under load is not counted.
   */
  readonly memoryIdle: number
  readonly memoryStreams: number
  readonly memoryPerStream: number
  readonly startMs: number
  readonly errors: number
}

/** Bytes in the KB and MB of the tables, which are decimal; the client measures KiB. */
const KIB = 1024

export function figures({ startMs, samples }: TargetResult): Figures {
  const { requests, latency, firstEvent, paced, flatOut, fewStreams, memory } = samples
  const micros = (seconds = 0, count = 0) => (count > 0 ? (seconds * 1e6) / count : Number.NaN)
  const megabytes = (kib = Number.NaN) => (kib * KIB) / 1e6
  const few = megabytes(fewStreams?.memoryMost)
  const many = megabytes(memory?.memoryMost)
  return {
    requestsPerSecond: (requests?.requests ?? 0) / (requests?.seconds ?? 1),
    cpuPerRequest: micros(requests?.proxyCpu, requests?.requests),
    latencyP50: latency?.whole.p50 ?? Number.NaN,
    latencyP99: latency?.whole.p99 ?? Number.NaN,
    firstEventP50: firstEvent?.firstEvent.p50 ?? Number.NaN,
    firstEventP99: firstEvent?.firstEvent.p99 ?? Number.NaN,
    cpuPerEvent: micros(paced?.proxyCpu, paced?.events),
    transitP50: paced?.transit.p50 ?? Number.NaN,
    transitP99: paced?.transit.p99 ?? Number.NaN,
    flatOutPerSecond: (flatOut?.events ?? 0) / (flatOut?.seconds ?? 1),
    flatOutCpu: micros(flatOut?.proxyCpu, flatOut?.events),
    memoryIdle: megabytes(fewStreams?.memoryBefore),
    memoryStreams: many,
    memoryPerStream: ((many - few) * 1000) / (MANY_STREAMS - FEW_STREAMS),
    startMs: median(startMs),
    errors: Object.values(samples).reduce((sum, { errors }) => sum + errors, 0),
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.filter(value => !Number.isNaN(value)).sort((one, other) => one - other)
  const middle = sorted.length / 2
  if (sorted.length === 0) return Number.NaN
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

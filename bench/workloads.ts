import type { Load } from './load/load.ts'

export interface Workload extends Load {
  readonly name: 'requests' | 'latency' | 'firstEvent' | 'paced' | 'flatOut' | 'fewStreams' | 'memory'
  /** What the client asks for: the model server reads the number of events and their pace from it. */
  readonly model: string
}

/** Streams open at once in the two workloads whose difference is the memory of a stream. */
export const FEW_STREAMS = 200
export const MANY_STREAMS = 1000

type Timing = Pick<Load, 'connections' | 'warmUp' | 'duration' | 'ramp'>

function workload(name: Workload['name'], timing: Timing, stream?: { events: number; paceMs: number }): Workload {
  const model = `fake-N${stream?.events ?? 1}-P${stream?.paceMs ?? 0}`
  return { name, model, ...timing, ...(stream ? { stream } : {}) }
}

/** What is measured, in this order, on one process; the memory of few streams and many on a process of their own. */
export function workloads(quick: boolean): readonly Workload[] {
  const scale = quick ? 0.5 : 1
  const timing = (connections: number, warmUp: number, duration: number, ramp = 0) => ({
    connections,
    warmUp: warmUp * scale,
    duration: duration * scale,
    ramp: ramp * scale,
  })
  return [
    workload('requests', timing(64, 15, 4)),
    workload('latency', timing(1, 0.5, 2)),
    workload('firstEvent', timing(1, 0.5, 2), { events: 2, paceMs: 1 }),
    workload('paced', timing(200, 10, 4, 1), { events: 100, paceMs: 40 }),
    workload('flatOut', timing(32, 0.5, 2), { events: 200, paceMs: 0 }),
    workload('fewStreams', timing(FEW_STREAMS, 3, 1.5, 1), { events: 100, paceMs: 200 }),
    workload('memory', timing(MANY_STREAMS, 3, 1.5, 2.5), { events: 100, paceMs: 200 }),
  ]
}

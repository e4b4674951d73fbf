import type { Figures } from './results.ts'
import type { TargetName } from './targets.ts'

type RoundFigures = Partial<Record<TargetName, Figures>>

export interface Goal {
  readonly name: string
  readonly limit: number
  /** The limit is the least that is good, not the most. */
  readonly least: boolean
  /** What counts, in one round; NaN where something that is compared with is missing. */
  readonly of: (target: TargetName) => (round: RoundFigures) => number
}

function goal(
  name: string,
  limit: number,
  least: boolean,
  base: TargetName | null,
  of: (it: Figures, base: Figures) => number,
): Goal {
  return {
    name,
    limit,
    least,
    of: target => round => {
      const it = round[target]
      const other = base ? round[base] : it
      return it && other ? of(it, other) : Number.NaN
    },
  }
}

/** "Added" is what a proxy adds to the same request made of the model server directly, in the same round. */
export const GOALS: readonly Goal[] = [
  goal('req/s a core ≥ 0.18 × nginx', 0.18, true, 'nginx', (it, base) => base.cpuPerRequest / it.cpuPerRequest),
  goal('req/s a core ≥ 8 × Portkey', 8, true, 'portkey', (it, base) => base.cpuPerRequest / it.cpuPerRequest),
  goal('CPU per paced event ≤ 2.4 × nginx', 2.4, false, 'nginx', (it, base) => it.cpuPerEvent / base.cpuPerEvent),
  goal('paced events/s a core ≥ 1.8 × Portkey', 1.8, true, 'portkey', (it, base) => base.cpuPerEvent / it.cpuPerEvent),
  goal('added latency p50 ≤ 500 µs', 500, false, 'direct', (it, base) => it.latencyP50 - base.latencyP50),
  goal('added latency p99 ≤ 2500 µs', 2500, false, 'direct', (it, base) => it.latencyP99 - base.latencyP99),
  goal(
    'added time to first event ≤ 1500 µs',
    1500,
    false,
    'direct',
    (it, base) => it.firstEventP50 - base.firstEventP50,
  ),
  goal('added transit p50 ≤ 200 µs', 200, false, 'direct', (it, base) => it.transitP50 - base.transitP50),
  goal('memory a stream ≤ 35 KB', 35, false, null, it => it.memoryPerStream),
  goal('memory at 1,000 streams ≤ 180 MB', 180, false, null, it => it.memoryStreams),
  goal('start to listening < 400 ms', 400, false, null, it => it.startMs),
]

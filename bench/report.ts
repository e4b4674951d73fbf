import { GOALS } from './goals.ts'
import { type Figures, figures, median, type Round } from './results.ts'
import { TARGETS, type TargetName } from './targets.ts'

export interface Summary {
  readonly medians: Partial<Record<TargetName, Figures>>
  readonly goals: readonly { target: TargetName; goal: string; measured: number; limit: number; met: boolean }[]
}

type RoundFigures = Partial<Record<TargetName, Figures>>

/** Figures by round, their medians, the table of ratios, and the goals met and missed. */
export function report(rounds: readonly Round[]): { readonly text: string; readonly summary: Summary } {
  const perRound = rounds.map(round => {
    const entries = Object.entries(round).map(([name, result]) => [name, figures(result)] as const)
    return Object.fromEntries(entries) as RoundFigures
  })
  const names = TARGETS.filter(name => perRound.some(round => round[name]))
  const medians: RoundFigures = {}
  for (const name of names) medians[name] = medianFigures(perRound.flatMap(round => round[name] ?? []))
  const goals = names
    .filter(name => name.startsWith('sallyport'))
    .flatMap(target => GOALS.map(goal => ({ target, goal, measured: median(perRound.map(goal.of(target))) })))
    .filter(({ measured }) => !Number.isNaN(measured))
    .map(({ target, goal, measured }) => {
      const { name, limit, least } = goal
      return { target, goal: name, measured, limit, met: least ? measured >= limit : measured <= limit }
    })
  const text = [
    `Medians of ${rounds.length} rounds; times in µs unless said otherwise, memory in MB.`,
    '',
    absoluteTable(names, medians),
    '',
    ratioTable(names, perRound),
    '',
    goalTable(goals),
    '',
    loadLines(names, rounds),
  ].join('\n')
  return { text, summary: { medians, goals } }
}

function medianFigures(all: readonly Figures[]): Figures {
  const keys = Object.keys(all[0] ?? {}) as (keyof Figures)[]
  return Object.fromEntries(keys.map(key => [key, median(all.map(one => one[key]))])) as unknown as Figures
}

const ABSOLUTE: readonly [title: string, of: (figures: Figures) => string][] = [
  ['req/s c=64', it => whole(it.requestsPerSecond)],
  ['CPU/req', it => tenths(it.cpuPerRequest)],
  ['c=1 p50 / p99', it => `${whole(it.latencyP50)} / ${whole(it.latencyP99)}`],
  ['first event p50 / p99', it => `${whole(it.firstEventP50)} / ${whole(it.firstEventP99)}`],
  ['paced CPU/event', it => tenths(it.cpuPerEvent)],
  ['transit p50 / p99', it => `${whole(it.transitP50)} / ${whole(it.transitP99)}`],
  ['flat out events/s', it => whole(it.flatOutPerSecond)],
  ['RSS idle → 1,000', it => `${whole(it.memoryIdle)} → ${whole(it.memoryStreams)}`],
  ['KB a stream', it => tenths(it.memoryPerStream)],
  ['start ms', it => whole(it.startMs)],
  ['errors', it => whole(it.errors)],
]

function absoluteTable(names: readonly TargetName[], medians: RoundFigures): string {
  const rows = names.map(name => [
    name,
    ...ABSOLUTE.map(([, of]) => {
      const it = medians[name]
      return it ? of(it) : ''
    }),
  ])
  return table(['', ...ABSOLUTE.map(([title]) => title)], rows)
}

const BETTER: readonly [title: string, of: (figures: Figures, base: Figures) => number][] = [
  ['req/s a core', (it, base) => base.cpuPerRequest / it.cpuPerRequest],
  ['paced events/s a core', (it, base) => base.cpuPerEvent / it.cpuPerEvent],
  ['flat out events/s', (it, base) => it.flatOutPerSecond / base.flatOutPerSecond],
  ['memory a stream', (it, base) => base.memoryPerStream / it.memoryPerStream],
]

/** More than 1: better than the one compared with. Ratios are taken within each round. */
function ratioTable(names: readonly TargetName[], rounds: readonly RoundFigures[]): string {
  const rows: string[][] = []
  for (const base of ['nginx', 'portkey'] as const) {
    for (const name of names.filter(name => name !== 'direct' && name !== base)) {
      const cells = BETTER.map(([, of]) => {
        const ratio = median(
          rounds.map(round => {
            const [it, other] = [round[name], round[base]]
            return it && other ? of(it, other) : Number.NaN
          }),
        )
        return Number.isNaN(ratio) ? '' : ratio.toFixed(2)
      })
      rows.push([`${name} × ${base}`, ...cells])
    }
  }
  return table(['how many times as good', ...BETTER.map(([title]) => title)], rows)
}

function goalTable(goals: Summary['goals']): string {
  const rows = goals.map(({ target, goal, measured, met }) => [
    target,
    goal,
    measured.toFixed(2),
    met ? 'met' : 'MISSED',
  ])
  return table(['', 'goal', 'measured', ''], rows)
}

/** Whether the load generator was the bottleneck. */
function loadLines(names: readonly TargetName[], rounds: readonly Round[]): string {
  const rows = names.map(name => {
    const share = (workload: 'requests' | 'paced' | 'flatOut') => {
      const all = rounds.flatMap(round => round[name]?.samples[workload] ?? [])
      const percent = (of: (sample: (typeof all)[number]) => number) => `${whole(100 * median(all.map(of)))} %`
      const own = percent(one => (one.clientCpu + one.loadCpu) / one.seconds)
      return `${own} (core ${percent(one => one.loadCoreBusy)}; proxy ${percent(one => one.proxyCpu / one.seconds)})`
    }
    return [name, share('requests'), share('paced'), share('flatOut')]
  })
  return table(['load and model server: share of their core', 'c=64', 'paced', 'flat out'], rows)
}

const whole = (value: number) => (Number.isNaN(value) ? '–' : String(Math.round(value)))
const tenths = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(1))

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map(row => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(head), `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n')
}

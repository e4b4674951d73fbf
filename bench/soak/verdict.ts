import { median } from '../results.ts'
import type { Tally } from './callers.ts'
import type { Look } from './watch.ts'

/** What is known once the gateway has stopped. */
export interface Observed {
  /** Of the runtime. */
  readonly version: string | undefined
  /** Of the load, in order; those after its end are not among them. */
  readonly looks: readonly Look[]
  readonly tallies: ReadonlyMap<string, Tally>
  /** Of those after the load, `kept` are idle connections to the model server. */
  readonly descriptors: {
    readonly before: number
    readonly most: number
    readonly after: number
    readonly kept: number
  }
  readonly leases: { readonly most: number; readonly after: number }
  /** Gauges that were not back where they had been, or at zero. */
  readonly gaugesLeft: Readonly<Record<string, number>>
  readonly audit: {
    readonly bad: string | undefined
    readonly records: number
    /** Requests that began and have no ending. */
    readonly open: number
    /** Of answers that their callers waited for, those that the log does not have with their status. */
    readonly missing: readonly string[]
    readonly answered: number
  }
  readonly exitCode: number | null
}

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** Missed where Redis has to wait for a processor for 100 ms: what a busy machine does, and no fault of the gateway. */
export const STORE_IN_TIME = 'the quota store answers in time'

/** A file that is just being rotated, a connection to the admin listener. */
const SPARE_DESCRIPTORS = 2
/** Bun's own pool has no more; the gateway's client on Node closes its connections in seconds, and none is allowed for. */
const MOST_KEPT = 64

/** Medians of the second and the last third of the load. */
export function thirds(looks: readonly Look[], value: (look: Look) => number | undefined): [number, number] {
  const third = Math.floor(looks.length / 3)
  const part = (from: number, to?: number) => median(looks.slice(from, to).map(look => value(look) ?? Number.NaN))
  return [part(third, 2 * third), part(2 * third)]
}

/** Every promise of the soak, kept or not. `tolerance` is the part by which memory may differ between the thirds. */
export function judge(observed: Observed, tolerance: number): readonly Check[] {
  const { looks, tallies, descriptors, leases, gaugesLeft, audit, exitCode } = observed
  const [second, last] = thirds(looks, ({ rss }) => rss)
  const change = last / second - 1
  const all = [...tallies.values()]
  const failed = all.reduce((sum, tally) => sum + tally.failed, 0)
  const storeLate = all.reduce((sum, tally) => sum + tally.storeLate, 0)
  const requests = all.reduce((sum, tally) => sum + tally.requests, 0)
  const unasked = [...tallies].filter(([, tally]) => tally.requests === 0).map(([name]) => name)
  const left = Object.entries(gaugesLeft).map(([name, value]) => `${name} ${value}`)
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`
  return [
    {
      name: 'resident memory is flat',
      ok: Math.abs(change) <= tolerance,
      detail: `${second.toFixed(1)} MiB in the second third, ${last.toFixed(1)} in the last: ${percent(change)}`,
    },
    {
      name: 'descriptors are given back',
      ok:
        descriptors.after <= descriptors.before + descriptors.kept + SPARE_DESCRIPTORS && descriptors.kept <= MOST_KEPT,
      detail: `${descriptors.before} before, ${descriptors.most} at most, ${descriptors.after} after, of which ${descriptors.kept} kept for the model server`,
    },
    {
      name: 'no request failed that was not to',
      ok: failed === storeLate && requests > 0,
      detail: `${failed - storeLate} of ${requests}`,
    },
    {
      name: STORE_IN_TIME,
      ok: storeLate === 0,
      detail: `${storeLate} of ${requests} requests refused without it`,
    },
    {
      name: 'every kind of request was made',
      ok: unasked.length === 0,
      detail: unasked.length === 0 ? `${tallies.size} kinds` : `none: ${unasked.join(', ')}`,
    },
    {
      name: 'every lease is returned',
      ok: leases.most > 0 && leases.after === 0,
      detail: `${leases.most} at most, ${leases.after} after`,
    },
    { name: 'gauges are back where they were', ok: left.length === 0, detail: left.join(', ') || 'all' },
    {
      name: 'the audit log verifies',
      ok: audit.bad === undefined && audit.open === 0,
      detail: audit.bad ?? `${audit.records} records, ${audit.open} requests without an end`,
    },
    {
      name: 'every answered request is in the log',
      ok: audit.missing.length === 0 && audit.answered > 0,
      detail: `${audit.missing.length} of ${audit.answered} missing ${audit.missing.slice(0, 5).join(' ')}`.trim(),
    },
    { name: 'it stops in good order', ok: exitCode === 0, detail: `exit status ${exitCode}` },
  ]
}

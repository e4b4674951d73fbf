import { type Hold, inForce, keeps } from './holds.ts'
import type { ReadBack } from './query.ts'

/** Records of which each property that is named has one of the values. */
export type RecordMatch = Readonly<Partial<Record<'team' | 'app' | 'env' | 'model', readonly string[]>>>

/** How long records are kept, in milliseconds from when their requests arrived. */
export interface RetentionPolicy {
  /** The first that fits a record counts. */
  readonly rules: readonly { readonly match: RecordMatch; readonly keepMs: number }[]
  /** Of records that no rule fits; absent: for ever. */
  readonly keepMs?: number
}

/** What becomes of one record. */
export type Fate =
  /** `dueAt`: when that changes, in ms since the epoch; Infinity where never. */
  | { readonly kind: 'kept'; readonly dueAt: number }
  | { readonly kind: 'held'; readonly hold: string }
  | { readonly kind: 'deleted'; readonly rule: string }

/** Names the rule for what no other fits. */
export const OTHERS = 'others'

/** The shortest time that anything is kept; undefined where everything is kept for ever. */
export function shortestKeep({ rules, keepMs }: RetentionPolicy): number | undefined {
  const all = [...rules.map(rule => rule.keepMs), ...(keepMs === undefined ? [] : [keepMs])]
  return all.length === 0 ? undefined : Math.min(...all)
}

/** Decides about records at one moment. A hold always wins; a record whose time cannot be read is kept. */
export function createRetention(policy: RetentionPolicy, holds: readonly Hold[], nowMs: number) {
  const active = inForce(holds, nowMs)
  const rules = [
    ...policy.rules.map(({ match, keepMs }) => ({ match: Object.entries(match), keepMs, name: matchName(match) })),
    { match: [], keepMs: policy.keepMs ?? Number.POSITIVE_INFINITY, name: OTHERS },
  ]

  return function fateOf(record: ReadBack): Fate {
    const rule = rules.find(({ match }) => match.every(([key, values]) => values.includes(record[key] as string)))
    const dueAt = Date.parse(String(record['time'])) + (rule?.keepMs ?? Number.POSITIVE_INFINITY)
    if (!(dueAt <= nowMs)) return { kind: 'kept', dueAt: Number.isNaN(dueAt) ? Number.POSITIVE_INFINITY : dueAt }
    const hold = active.find(each => keeps(each, record))
    return hold ? { kind: 'held', hold: hold.name } : { kind: 'deleted', rule: rule?.name ?? OTHERS }
  }
}

/** As people read it: `team=blue|red env=dev`. */
export function matchName(match: RecordMatch): string {
  return Object.entries(match)
    .map(([key, values]) => `${key}=${values.join('|')}`)
    .join(' ')
}

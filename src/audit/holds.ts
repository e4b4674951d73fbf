import * as v from 'valibot'
import type { ReadBack } from './query.ts'

const words = (max: number) =>
  v.pipe(v.string(), v.minLength(1), v.maxLength(max), v.regex(/^[^\p{Cc}]*$/u, 'should be on one line'))
const time = v.pipe(v.string(), v.isoTimestamp('should be a time such as 2026-11-24T09:00:00Z'))
const some = v.pipe(v.array(words(256)), v.minLength(1, 'should name at least one'), v.maxLength(10_000))

const HOLD = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[\w.-]{1,64}$/, 'should have only letters, digits, dots, underscores and hyphens'),
  ),
  reason: words(500),
  /** Who placed it, and when. */
  by: words(128),
  placed: time,
  /** When it ends by itself; absent: when somebody releases it. */
  until: v.exactOptional(time),
  /** Records that it keeps: all that is given has to hold; nothing given: every record. */
  match: v.strictObject({
    team: v.exactOptional(some),
    app: v.exactOptional(some),
    requestId: v.exactOptional(some),
    /** Times of records: from, and up to but not at. */
    from: v.exactOptional(time),
    before: v.exactOptional(time),
  }),
  released: v.exactOptional(v.strictObject({ by: words(128), at: time })),
})
const FILE = v.strictObject({
  holds: v.pipe(
    v.array(HOLD),
    v.maxLength(10_000),
    v.check(holds => new Set(holds.map(({ name }) => name)).size === holds.length, 'a name comes twice'),
  ),
})

/** Keeps records in spite of every retention rule. */
export type Hold = v.InferOutput<typeof HOLD>

export type HoldsRead =
  | { readonly ok: true; readonly holds: readonly Hold[] }
  | { readonly ok: false; readonly reason: string }

/** Reads a file of holds. One that is not understood as a whole is none: what it keeps cannot be told. */
export function parseHolds(text: string): HoldsRead {
  return read(v.safeParse(v.pipe(v.string(), v.parseJson(), FILE), text))
}

/** Whether holds could stand in a file, and why not. */
export function checkHolds(holds: readonly Hold[]): HoldsRead {
  return read(v.safeParse(FILE, { holds }))
}

function read(parsed: v.SafeParseResult<v.GenericSchema<unknown, { holds: Hold[] }>>): HoldsRead {
  if (parsed.success) return { ok: true, holds: parsed.output.holds }
  const [issue] = parsed.issues
  return { ok: false, reason: `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}` }
}

/** Those that keep records now. */
export function inForce(holds: readonly Hold[], nowMs: number): Hold[] {
  return holds.filter(({ released, until }) => !released && (until === undefined || Date.parse(until) > nowMs))
}

/** Whether a hold keeps a record. One that says nothing of what is asked for is not meant by the hold. */
export function keeps({ match }: Hold, record: ReadBack): boolean {
  const { team, app, requestId, from, before } = match
  const time = Date.parse(String(record['time']))
  return (
    has(team, record['team']) &&
    has(app, record['app']) &&
    has(requestId, record['requestId']) &&
    (from === undefined || time >= Date.parse(from)) &&
    (before === undefined || time < Date.parse(before))
  )
}

function has(names: readonly string[] | undefined, value: unknown): boolean {
  return names === undefined || names.includes(value as string)
}

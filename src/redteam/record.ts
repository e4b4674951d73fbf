import * as v from 'valibot'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** What is kept of the last run: figures, never a text. */
const RUN = v.strictObject({
  version: v.literal(1),
  time: v.pipe(v.string(), v.isoTimestamp()),
  passed: v.boolean(),
  /** The URL, or null: the guard in process. */
  target: v.nullable(v.string()),
  /** SHA-256 over the files of the suite. */
  suite: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  categories: v.array(
    v.strictObject({
      name: v.string(),
      probes: count,
      attacks: count,
      detected: count,
      harmless: count,
      alarms: count,
      untried: count,
      failed: count,
      wrong: v.array(v.string()),
      faults: v.array(v.string()),
    }),
  ),
})

export type RedteamRun = v.InferOutput<typeof RUN>

/** The run in a file, or undefined where the text is none. */
export function parseRun(text: string): RedteamRun | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), RUN), text)
  return parsed.success ? parsed.output : undefined
}

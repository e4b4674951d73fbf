import * as v from 'valibot'
import { canonicalJson } from './canonical-json.ts'
import { type NoteSigner, type NoteVerifier, openNote, signNote } from './signed-note.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1))

const STATEMENT = v.strictObject({
  /** Who ran it: `timer`, or the name of the user at a command line. */
  by: v.string(),
  /** Of all tombstones of the run in this file, in their order. */
  digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** The first and the last record that was deleted. Between them others were kept, unless `records` is all of them. */
  from: count,
  to: count,
  /** Names of the legal holds in force, the first hundred. */
  holds: v.array(v.string()),
  records: count,
  run: v.string(),
  /** By the rule that asked for it, how many. */
  rules: v.record(v.string(), count),
  /** ISO 8601. */
  time: v.pipe(v.string(), v.isoTimestamp()),
})

/** What a log's holder has signed: these records were deleted, then, by whom and for what reason. */
export type DeletionStatement = v.InferOutput<typeof STATEMENT>

/** No checkpoint has this as its second line, so that neither is taken for the other. */
const KIND_LINE = 'sallyport audit deletion'

/** The line that stands at the head of a file from which records were deleted: a signed note (C2SP) as canonical JSON. */
export async function statementLine(signer: NoteSigner, statement: DeletionStatement): Promise<string> {
  const text = `${signer.name}\n${KIND_LINE}\n${canonicalJson(statement)}\n`
  return JSON.stringify({ statement: await signNote(signer, text) })
}

export type StatementResult =
  | { readonly ok: true; readonly statement: DeletionStatement }
  | { readonly ok: false; readonly reason: string }

/** What a statement's line says; that it is signed is still to be proved. */
export function readStatement(line: string): StatementResult & { readonly note?: string } {
  const note = noteIn(line)
  const [, kind, json] = note?.split('\n') ?? []
  if (note === undefined || kind !== KIND_LINE) return { ok: false, reason: 'no statement of a deletion' }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), STATEMENT), json)
  return parsed.success
    ? { ok: true, statement: parsed.output, note }
    : { ok: false, reason: 'a statement of a deletion that is malformed' }
}

/** Why a statement's note proves nothing, or undefined where one of the keys has signed it. */
export async function forgery(keys: readonly NoteVerifier[], note: string): Promise<string | undefined> {
  if (keys.length === 0) return 'records were deleted, and there is no key to prove that with: give --key'
  let reason = ''
  for (const key of keys) {
    const opened = await openNote(key, note)
    if (opened.ok) return undefined
    reason = opened.reason
  }
  return `forged: the statement that records were deleted: ${reason}`
}

function noteIn(line: string): string | undefined {
  try {
    const { statement } = JSON.parse(line) as { statement?: unknown }
    return typeof statement === 'string' ? statement : undefined
  } catch {
    return undefined
  }
}

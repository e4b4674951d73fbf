import type { Stage } from './validator-config.ts'

/** Who a text is checked for. */
export interface Subject {
  readonly stage: Stage
  readonly requestId: string
  readonly team: string
  readonly app: string
  readonly env: string
  readonly model: string
}

export interface Verdict {
  readonly bad: boolean
  /** What the validator calls it, when that is a short word of its own: goes into records. */
  readonly label?: string
}

/** What an answer says. One that says nothing that is understood is a failure, never a pass. */
export type Reading = { readonly ok: true; readonly verdict: Verdict } | { readonly ok: false; readonly reason: string }

/** How one kind of validator is asked, and how its answer is read. */
export interface ValidatorKind {
  /** Absolute. */
  readonly url: string
  /** Closes the connection behind each answer: for servers that give each open one a thread. */
  readonly closeAfter: boolean
  /** The JSON to send. */
  body(text: string, subject: Subject): Readonly<Record<string, unknown>>
  /** Reads an answer with the status 200, parsed. */
  read(answer: unknown, text: string): Reading
  /** Reads an answer with another status, where that is a verdict too. */
  readonly readStatus?: (status: number) => Reading | undefined
  /** What, beside the text and the team, a verdict may depend on: texts that agree in it share verdicts. */
  scope(subject: Subject): readonly string[]
}

export function unreadable(reason: string): Reading {
  return { ok: false, reason }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is a probability. JSON has no NaN, but 1e999 and numbers in quotes come in answers. */
export function isScore(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}

const LABEL = /^[\w.:-]{1,64}$/

/** A label that is a word: what may be a text is left out. */
export function wordOf(label: unknown): { readonly label?: string } {
  return typeof label === 'string' && LABEL.test(label) ? { label } : {}
}

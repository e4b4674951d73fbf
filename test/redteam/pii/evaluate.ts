import { addScores, type Score, type Span } from '../../support/spans.ts'
import { type Finder, type Found, KNOWN_TYPES, type Row } from './labelled.ts'

/** What a set of labelled texts says of the rules. */
export interface Evaluation {
  readonly texts: number
  /** Scores by type; a span counts as found from an overlap of 0.75 with one of its type. */
  readonly types: ReadonlyMap<string, Score>
  /** The same whatever the types. */
  readonly any: Score
  /** Texts in which nothing is to be found, and those of them in which something was. */
  readonly clean: number
  readonly flagged: number
  readonly mistakes: readonly Mistake[]
}

/** A text that was not read as it is labelled. */
export interface Mistake {
  readonly row: Row
  readonly missed: readonly Span[]
  readonly wrong: readonly Found[]
}

/**
 * Runs the rules over the texts and compares. Where a row names the types under test, nothing else counts in its text.
 * @param types those that count; default all that some rule finds
 */
export function evaluate(rows: readonly Row[], find: Finder, types: readonly string[] = [...KNOWN_TYPES]): Evaluation {
  const scores = new Map<string, Score>()
  const any = new Map<string, Score>()
  const mistakes: Mistake[] = []
  let clean = 0
  let flagged = 0
  for (const row of rows) {
    const counts = ({ type }: Span) => types.includes(type) && (row.entities?.includes(type) ?? true)
    const gold = row.spans.filter(counts)
    const found = find(row.text).filter(counts)
    addScores(any, gold.map(typeless), found.map(typeless))
    const { missed, wrong } = addScores(scores, gold, found)
    if (missed.length + wrong.length > 0) mistakes.push({ row, missed, wrong })
    if (row.spans.length === 0) {
      clean++
      if (found.length > 0) flagged++
    }
  }
  return { texts: rows.length, types: scores, any: any.get('') ?? NOTHING, clean, flagged, mistakes }
}

const NOTHING: Score = { found: 0, missed: 0, wrong: 0 }

function typeless(span: Span): Span {
  return { ...span, type: '' }
}

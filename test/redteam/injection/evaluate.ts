import { INJECTION_THRESHOLD, scanInjection } from '../../../src/guard/injection.ts'
import { heldBackRows, type Row, segmentsOfNormalised, trainingRows } from './corpus.ts'
import { learn, worst } from './learn.ts'
import { examplesOf, SHIFT } from './train.ts'

/** A text and what is made of it by a model that has seen nothing of its source. */
export interface Judged extends Row {
  readonly score: number
  /** What the phrases say without the model. */
  readonly phrases: number
}

/** Scores every text of the sources with a model that has learnt from all the others; all sources, unless some are named. */
export function leaveOneOut(only?: readonly string[]): Judged[] {
  const rows = trainingRows()
  const sources = only ?? [...new Set(rows.map(({ source }) => source))]
  return sources.flatMap(source => {
    const weights = learn(examplesOf(rows.filter(row => row.source !== source)))
    const model = (normalised: string) =>
      1 / (1 + Math.exp(SHIFT - worst(weights, segmentsOfNormalised(normalised)).margin))
    return rows.filter(row => row.source === source).map(row => judged(row, model))
  })
}

/** Scores the texts that are held back with the weights that ship, which have not learnt from them. */
export function heldBack(): Judged[] {
  return heldBackRows().map(row => judged(row))
}

function judged(row: Row, model?: (normalised: string) => number): Judged {
  const phrases = scanInjection(row.text, INJECTION_THRESHOLD, () => 0).score
  return { ...row, phrases, score: scanInjection(row.text, INJECTION_THRESHOLD, model).score }
}

/** Whether a text was made for training. */
export function isMade({ source }: Row): boolean {
  return source.startsWith('made:')
}

/** The least score that at most this share of the texts reach. */
export function thresholdFor(benign: readonly Judged[], falseAlarms: number): number {
  const scores = benign.map(({ score }) => score).sort((one, other) => other - one)
  return (scores[Math.floor(scores.length * falseAlarms)] ?? 0) + 0.001
}

export function shareFrom(rows: readonly Judged[], threshold: number, of: 'score' | 'phrases' = 'score'): number {
  return rows.filter(row => row[of] >= threshold).length / Math.max(rows.length, 1)
}

/** How well the length alone would tell attacks of a source from the benign texts of others: 0.5 is not at all. */
export function lengthAlone(attacks: readonly Row[], benign: readonly Row[]): number {
  const lengths = benign.map(({ text }) => text.length).sort((one, other) => one - other)
  const below = (length: number) => {
    let low = 0
    let high = lengths.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((lengths[middle] as number) < length) low = middle + 1
      else high = middle
    }
    return low
  }
  const total = attacks.reduce((sum, { text }) => sum + (below(text.length) + below(text.length + 1)) / 2, 0)
  return total / Math.max(attacks.length * lengths.length, 1)
}

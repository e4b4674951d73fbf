import { type Evaluation, evaluate } from './evaluate.ts'
import { finder, type Row, readRows } from './labelled.ts'
import { withLabel } from './labels.ts'
import { syntheticNoise, syntheticRows } from './synthetic/rows.ts'

/** The seven types of personal data that have a structure; names and addresses need a model. */
export const STRUCTURED_TYPES = [
  'EMAIL_ADDRESS',
  'CREDIT_CARD',
  'IBAN_CODE',
  'US_SSN',
  'PHONE_NUMBER',
  'IP_ADDRESS',
  'URL',
]

/** A set of labelled texts, and how it is read. */
export interface LabelledSet {
  readonly name: string
  readonly rows: () => Row[]
  /** Types that count; absent: all that some rule finds. */
  readonly types?: readonly string[]
  /** Optional rules that are switched on for it. */
  readonly optional?: readonly string[]
}

/** The sets of the repository. What they are: `test/data/pii/README.md`; the last two are made anew from a seed. */
export const SETS: readonly LabelledSet[] = [
  { name: 'llm-outputs', rows: shipped('llm-outputs') },
  { name: 'presidio-generated', rows: shipped('presidio-generated'), types: STRUCTURED_TYPES, optional: ['URL'] },
  { name: 'secrets-synthetic', rows: shipped('secrets-synthetic'), types: ['SECRET'] },
  { name: 'gitleaks-cases', rows: shipped('gitleaks-cases'), types: ['SECRET'] },
  { name: 'presidio-recognisers', rows: shipped('presidio-recognisers'), optional: ['URL', 'UK_POSTCODE'] },
  {
    name: 'presidio-recognisers, labelled',
    rows: () => shipped('presidio-recognisers')().map(withLabel),
    optional: ['URL', 'UK_POSTCODE'],
  },
  { name: 'synthetic', rows: syntheticRows },
  { name: 'synthetic noise', rows: syntheticNoise },
]

/** The set of the repository with this name. */
export function setNamed(name: string): LabelledSet {
  const set = SETS.find(each => each.name === name)
  if (set === undefined)
    throw new Error(`no set is called ${name}; there are ${SETS.map(each => each.name).join(', ')}`)
  return set
}

export function evaluateSet({ rows, types, optional }: LabelledSet): Evaluation {
  return evaluate(rows(), finder(optional), types)
}

function shipped(name: string): () => Row[] {
  return () => readRows(new URL(`../../data/pii/${name}.jsonl`, import.meta.url))
}

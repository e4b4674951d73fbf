import { FEATURES, FeatureReader } from './injection-features.ts'
import { INJECTION_WEIGHTS } from './injection-weights.ts'

/** A text is judged by its windows of so many segments of the feature reader: about 600 characters. */
export const WINDOW_SEGMENTS = 3

/** One for all texts: reading is not interrupted. */
const reader = new FeatureReader()
const sums = new Float64Array(WINDOW_SEGMENTS)
const counts = new Float64Array(WINDOW_SEGMENTS)
let weights: Int8Array | null = null

/**
 * How likely it is, from 0 to 1, that some window of a normalised text overrides instructions: a linear model over hashed
 * n-grams (`test/redteam/injection/README.md` says what it has learnt from). Linear in the text.
 */
export function likelihood(normalised: string): number {
  return normalised === '' ? 0 : 1 / (1 + Math.exp(-margin(normalised)))
}

function margin(normalised: string): number {
  weights ??= decode(INJECTION_WEIGHTS.base64)
  const { bias, scale } = INJECTION_WEIGHTS
  const { features } = reader
  sums.fill(0)
  counts.fill(0)
  reader.open(normalised)
  let most = Number.NEGATIVE_INFINITY
  let segments = 0
  for (; reader.read(); segments++) {
    const { count } = reader
    let sum = 0
    for (let at = 0; at < count; at++) sum += weights[features[at] as number] as number
    sums[segments % WINDOW_SEGMENTS] = sum
    counts[segments % WINDOW_SEGMENTS] = count
    if (segments >= WINDOW_SEGMENTS - 1) most = Math.max(most, ofWindow())
  }
  reader.open('')
  if (segments < WINDOW_SEGMENTS) most = ofWindow()
  return bias + scale * most
}

function ofWindow(): number {
  let sum = 0
  let count = 0
  for (let at = 0; at < WINDOW_SEGMENTS; at++) {
    sum += sums[at] as number
    count += counts[at] as number
  }
  return sum / Math.sqrt(Math.max(count, 1))
}

function decode(base64: string): Int8Array {
  const bytes = Int8Array.from(atob(base64), character => character.charCodeAt(0))
  if (bytes.length !== FEATURES) throw new RangeError('the weights do not belong to these features')
  return bytes
}

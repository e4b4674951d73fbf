import { FEATURES } from '../../../src/guard/injection-features.ts'
import { Random } from '../pii/synthetic/random.ts'

/** The features of a text's segments. */
export type Segments = readonly Int32Array[]

export interface Example {
  readonly segments: Segments
  readonly label: 0 | 1
  /** How much the text counts. */
  readonly weight: number
}

export interface Weights {
  readonly features: Float32Array
  readonly bias: number
}

/** A text is judged by its windows of so many segments. */
export const WINDOW_SEGMENTS = 3

/** The windows of a text, each from a segment up to another. */
export function windowsOf({ length }: Segments): readonly (readonly [from: number, to: number])[] {
  if (length <= WINDOW_SEGMENTS) return [[0, length]]
  return Array.from({ length: length - WINDOW_SEGMENTS + 1 }, (_, from) => [from, from + WINDOW_SEGMENTS])
}

export function margin({ features, bias }: Weights, segments: Segments, from: number, to: number): number {
  let sum = 0
  let count = 0
  for (let at = from; at < to; at++) {
    const segment = segments[at] as Int32Array
    for (let index = 0; index < segment.length; index++) sum += features[segment[index] as number] as number
    count += segment.length
  }
  return bias + sum / Math.sqrt(Math.max(count, 1))
}

/** The window that looks most like an injection. */
export function worst(weights: Weights, segments: Segments): { readonly margin: number; readonly at: number } {
  let best = { margin: Number.NEGATIVE_INFINITY, at: 0 }
  windowsOf(segments).forEach(([from, to], at) => {
    const value = margin(weights, segments, from, to)
    if (value > best.margin) best = { margin: value, at }
  })
  return best
}

export interface Options {
  readonly epochs: number
  readonly rate: number
  readonly l2: number
  /** Share of the features that is left out of a step, so that no few of them decide. */
  readonly dropout: number
  readonly seed: number
}

export const OPTIONS: Options = { epochs: 6, rate: 0.08, l2: 2e-6, dropout: 0.7, seed: 1 }

/**
 * Logistic regression by AdaGrad over the windows of texts. Of a long attack, only the window that looks worst is taken for one
 * (after a first pass, all of them): the rest of a document is not an attack. Of a benign text, each window is benign; the worst
 * counts twice. The result is the average over the second half of the passes.
 */
export function learn(examples: readonly Example[], options: Options = OPTIONS): Weights {
  const { epochs, rate, l2, dropout, seed } = options
  const random = new Random(seed)
  const features = new Float32Array(FEATURES)
  const squares = new Float32Array(FEATURES).fill(0.01)
  const average = new Float64Array(FEATURES)
  let averageBias = 0
  let bias = -1
  let biasSquares = 0.01
  const order = examples.map((_, index) => index)
  const kept = new Int32Array(1 << 14)
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random)
    for (const index of order) {
      const { segments, label, weight } = examples[index] as Example
      const windows = windowsOf(segments)
      const current = { features, bias }
      const chosen = windows.length === 1 ? 0 : worst(current, segments).at
      const others = label === 0 ? [random.int(0, windows.length - 1)] : epoch === 0 ? [0] : []
      for (const at of new Set([chosen, ...others])) {
        const [from, to] = windows[at] as readonly [number, number]
        let count = 0
        let total = 0
        let sum = 0
        for (let segment = from; segment < to; segment++) {
          for (const feature of segments[segment] as Int32Array) {
            total++
            if (random.next() < dropout) continue
            kept[count++] = feature
            sum += features[feature] as number
          }
        }
        const scale = 1 / Math.sqrt(Math.max(total, 1)) / (1 - dropout)
        const probability = 1 / (1 + Math.exp(-(bias + sum * scale)))
        const error = (probability - label) * weight
        const gradient = error * scale
        for (let k = 0; k < count; k++) {
          const feature = kept[k] as number
          const value = features[feature] as number
          const slope = gradient + l2 * value
          const square = (squares[feature] as number) + slope * slope
          squares[feature] = square
          features[feature] = value - (rate * slope) / Math.sqrt(square)
        }
        biasSquares += error * error
        bias -= (rate * error) / Math.sqrt(biasSquares)
      }
    }
    if (epoch < epochs / 2) continue
    for (let k = 0; k < FEATURES; k++) average[k] = (average[k] as number) + (features[k] as number)
    averageBias += bias
  }
  const passes = epochs - Math.ceil(epochs / 2)
  return { features: Float32Array.from(average, value => value / passes), bias: averageBias / passes }
}

function shuffle(items: number[], random: Random): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = random.int(0, at)
    const moved = items[at] as number
    items[at] = items[other] as number
    items[other] = moved
  }
}

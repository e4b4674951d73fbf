/** A share with its 95 % interval (Wilson's). */
export interface Share {
  readonly share: number
  readonly low: number
  readonly high: number
}

export interface Calibration {
  readonly texts: number
  /** Up to which score a share of the texts goes. */
  readonly quantiles: readonly { readonly share: number; readonly score: number }[]
  /** The share that was asked for. */
  readonly falseAlarms: number
  /** The least threshold that at most this share reach; null where more have the highest score. */
  readonly threshold: number | null
  /** Where the threshold would be in 95 % of samples of this size; at most 1. */
  readonly interval: readonly [low: number, high: number]
  readonly atThreshold: Share
  readonly atDefault: Share
  /** The texts with a score of 1. */
  readonly atOne: Share
  /** Whether at least ten texts make up the share. */
  readonly enough: boolean
}

/** Scores have three decimals. */
const STEPS = 1000
/** 95 % of a normal distribution lie within so many standard deviations. */
const DEVIATIONS = 1.96
const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.995, 0.999, 1]

/** How many texts have which score: of any number of texts, in a few KiB. */
export class ScoreCounts {
  total = 0
  private readonly counts = new Float64Array(STEPS + 1)

  /** @param score from 0 to 1 */
  add(score: number): void {
    const step = Math.round(score * STEPS)
    this.counts[step] = (this.counts[step] as number) + 1
    this.total++
  }

  /** What the counts say of the threshold for a share of false alarms. At least one score has to be there. */
  calibrate(falseAlarms: number, defaultThreshold: number): Calibration {
    const { total } = this
    const step = this.leastStep(falseAlarms)
    const { low, high } = wilson(falseAlarms, total)
    return {
      texts: total,
      quantiles: QUANTILES.map(share => ({ share, score: this.quantile(share) })),
      falseAlarms,
      threshold: step > STEPS ? null : step / STEPS,
      interval: [Math.min(STEPS, this.leastStep(high)) / STEPS, Math.min(STEPS, this.leastStep(low)) / STEPS],
      atThreshold: this.from(Math.min(step, STEPS)),
      atDefault: this.from(Math.round(defaultThreshold * STEPS)),
      atOne: this.from(STEPS),
      enough: total * falseAlarms >= 10,
    }
  }

  /** The least step from 1 that at most this share reach; past the last one where none does. */
  private leastStep(share: number): number {
    let above = 0
    for (let step = STEPS; step > 0; step--) {
      above += this.counts[step] as number
      if (above > share * this.total) return step + 1
    }
    return 1
  }

  private quantile(share: number): number {
    let below = 0
    for (let step = 0; step <= STEPS; step++) {
      below += this.counts[step] as number
      if (below >= share * this.total) return step / STEPS
    }
    return 1
  }

  private from(first: number): Share {
    let count = 0
    for (let step = first; step <= STEPS; step++) count += this.counts[step] as number
    return wilson(count / this.total, this.total)
  }
}

function wilson(share: number, total: number): Share {
  const square = DEVIATIONS ** 2 / total
  const middle = (share + square / 2) / (1 + square)
  const half = (DEVIATIONS / (1 + square)) * Math.sqrt((share * (1 - share)) / total + square / (4 * total))
  return { share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

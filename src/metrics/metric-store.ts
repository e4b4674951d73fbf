import type { MetricDefinition } from './definition.ts'
import type { HistogramSeries, Labels, MetricFamily, ValueSeries } from './family.ts'
import { METRICS, type MetricName } from './table.ts'
import { seriesOf } from './text.ts'

/** Distinct series kept. Label values come from bounded sets; the bound is for the mistake. */
const MAX_SERIES = 10_000
/** A histogram is some twenty numbers. */
const MAX_HISTOGRAMS = 2000

const NONE: Labels = Object.freeze({})

/** All that is counted, in memory. */
export class MetricStore {
  readonly #values = new Series<ValueSeries>(MAX_SERIES, labels => ({ labels, value: 0 }))
  readonly #histograms = new Series<HistogramSeries>(MAX_HISTOGRAMS, (labels, metric) => ({
    labels,
    counts: [...boundsOf(metric), Number.POSITIVE_INFINITY].map(() => 0),
    sum: 0,
  }))

  constructor() {
    for (const [name, { type, labels }] of entries()) {
      if (type === 'gauge') continue
      for (const known of combinations(labels)) {
        if (type === 'counter') this.add(name, known, 0)
        else this.#histograms.of(name, known)
      }
    }
  }

  add(metric: MetricName, labels: Labels | undefined, by: number): void {
    const series = this.#values.of(metric, labels)
    if (series) series.value += by
  }

  set(metric: MetricName, labels: Labels | undefined, value: number): void {
    const series = this.#values.of(metric, labels)
    if (series) series.value = value
  }

  observe(metric: MetricName, labels: Labels | undefined, value: number): void {
    const series = this.#histograms.of(metric, labels)
    if (!series) return
    const bounds = boundsOf(metric)
    let at = 0
    while (at < bounds.length && value > (bounds[at] as number)) at++
    series.counts[at] = (series.counts[at] as number) + 1
    series.sum += value
  }

  /** Every metric of the table as it is now, in the table's order. The series go on counting: read them at once. */
  families(): MetricFamily[] {
    return entries().map(([name, definition]) => ({
      name,
      definition,
      values: this.#values.all(name),
      histograms: this.#histograms.all(name),
    }))
  }
}

/** The series of all metrics, by metric and labels. */
class Series<S> {
  readonly #max: number
  readonly #create: (labels: Labels, metric: MetricName) => S
  readonly #byMetric = new Map<MetricName, Map<string, S>>()
  /** The last series of labels that cannot change: writing its name costs more than counting. */
  readonly #known = new WeakMap<Labels, { readonly metric: MetricName; readonly series: S }>()
  #size = 0

  constructor(max: number, create: (labels: Labels, metric: MetricName) => S) {
    this.#max = max
    this.#create = create
  }

  /** Undefined where there are too many. */
  of(metric: MetricName, labels: Labels = NONE): S | undefined {
    const known = this.#known.get(labels)
    if (known?.metric === metric) return known.series
    const series = this.#find(metric, labels)
    if (series && labels !== NONE && Object.isFrozen(labels)) this.#known.set(labels, { metric, series })
    return series
  }

  all(metric: MetricName): readonly S[] {
    return [...(this.#byMetric.get(metric)?.values() ?? [])]
  }

  #find(metric: MetricName, labels: Labels): S | undefined {
    let series = this.#byMetric.get(metric)
    if (!series) this.#byMetric.set(metric, (series = new Map<string, S>()))
    const key = labels === NONE ? '' : seriesOf('', labels)
    const known = series.get(key)
    if (known || this.#size >= this.#max) return known
    this.#size++
    const created = this.#create({ ...labels }, metric)
    series.set(key, created)
    return created
  }
}

function boundsOf(metric: MetricName): readonly number[] {
  const definition: MetricDefinition = METRICS[metric]
  return definition.type === 'histogram' ? definition.buckets : []
}

function entries(): [MetricName, MetricDefinition][] {
  return Object.entries(METRICS) as [MetricName, MetricDefinition][]
}

/** Every set of labels of a metric whose labels all have a list of words; none of one that has others. */
function combinations(labels: MetricDefinition['labels']): Labels[] {
  let sets: Labels[] = [NONE]
  for (const [name, words] of Object.entries(labels)) {
    if (typeof words === 'string') return []
    sets = sets.flatMap(set => words.map(word => ({ ...set, [name]: word })))
  }
  return sets
}

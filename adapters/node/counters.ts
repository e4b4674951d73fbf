type Labels = Readonly<Record<string, string>>

/** Distinct series kept. Label values come from bounded sets; the bound is for the mistake. */
const MAX_SERIES = 10_000

/** Counters by name and labels. */
export class Counters {
  readonly #series = new Map<string, number>()
  /** The last series of labels that cannot change: writing its name costs more than counting. */
  readonly #named = new WeakMap<Labels, { readonly metric: string; readonly name: string }>()

  add(metric: string, labels: Labels | undefined, by: number): void {
    const key = labels === undefined ? metric : this.#nameOf(metric, labels)
    const value = this.#series.get(key)
    if (value === undefined && this.#series.size >= MAX_SERIES) return
    this.#series.set(key, (value ?? 0) + by)
  }

  #nameOf(metric: string, labels: Labels): string {
    const known = this.#named.get(labels)
    if (known?.metric === metric) return known.name
    const name = seriesOf(metric, labels)
    if (Object.isFrozen(labels)) this.#named.set(labels, { metric, name })
    return name
  }

  /** A copy, by `name{label="value"}` as Prometheus writes it, labels in alphabetical order. */
  snapshot(): ReadonlyMap<string, number> {
    return new Map(this.#series)
  }
}

/** The name of one series in Prometheus' notation. */
export function seriesOf(metric: string, labels: Labels): string {
  const pairs = Object.keys(labels)
    .sort()
    .map(name => `${name}="${escaped(labels[name] ?? '')}"`)
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

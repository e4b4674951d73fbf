import type { MetricDefinition } from './definition.ts'
import type { HistogramSeries, Labels, MetricFamily } from './family.ts'
import { METRICS } from './table.ts'

/** Every series by its name as Prometheus writes it; those of a histogram cumulative, and in the order of their bounds. */
export function seriesOfAll(families: Iterable<MetricFamily>): Map<string, number> {
  const all = new Map<string, number>()
  for (const { name, definition, values, histograms } of families) {
    for (const { labels, value } of values) all.set(seriesOf(name, labels), value)
    const bounds = definition.type === 'histogram' ? definition.buckets : []
    for (const series of histograms) addHistogram(all, name, bounds, series)
  }
  return all
}

function addHistogram(
  all: Map<string, number>,
  name: string,
  bounds: readonly number[],
  { labels, counts, sum }: HistogramSeries,
): void {
  let total = 0
  for (const [at, count] of counts.entries()) {
    total += count
    const le = at < bounds.length ? String(bounds[at]) : '+Inf'
    all.set(seriesOf(`${name}_bucket`, { ...labels, le }), total)
  }
  all.set(seriesOf(`${name}_sum`, labels), sum)
  all.set(seriesOf(`${name}_count`, labels), total)
}

/** Series in Prometheus's text format 0.0.4, by metric in the order of the table. */
export function metricsText(series: ReadonlyMap<string, number>): string {
  const byMetric = Map.groupBy(series, ([name]) => metricOf(name))
  let text = ''
  for (const [name, { help, type }] of Object.entries(METRICS) as [string, MetricDefinition][]) {
    const lines = byMetric.get(name)
    if (lines === undefined) continue
    text += `# HELP ${name} ${escapedHelp(help)}\n# TYPE ${name} ${type}\n`
    for (const [full, value] of lines) text += `${full} ${value}\n`
  }
  return text
}

function metricOf(series: string): string {
  const name = series.replace(/\{.*$/s, '')
  return Object.hasOwn(METRICS, name) ? name : name.replace(/_(?:bucket|sum|count)$/, '')
}

/** The name of one series in Prometheus' notation: labels in alphabetical order, those without a value left out. */
export function seriesOf(metric: string, labels: Labels): string {
  const pairs = Object.keys(labels)
    .filter(name => labels[name] !== '')
    .sort()
    .map(name => `${name}="${escaped(labels[name] ?? '')}"`)
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapedHelp(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

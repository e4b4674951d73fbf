import type { HistogramSeries, Labels, MetricFamily } from './family.ts'

/** Metrics in Prometheus's text format 0.0.4, in the order of the table; what nothing was counted of is left out. */
export function metricsText(families: Iterable<MetricFamily>): string {
  let text = ''
  for (const { name, definition, values, histograms } of families) {
    if (values.length === 0 && histograms.length === 0) continue
    text += `# HELP ${name} ${escapedHelp(definition.help)}\n# TYPE ${name} ${definition.type}\n`
    for (const { labels, value } of values) text += `${seriesOf(name, labels)} ${value}\n`
    const bounds = definition.type === 'histogram' ? definition.buckets : []
    for (const series of histograms) text += histogramText(name, bounds, series)
  }
  return text
}

function histogramText(name: string, bounds: readonly number[], { labels, counts, sum }: HistogramSeries): string {
  let total = 0
  const buckets = counts.map((count, at) => {
    total += count
    const le = at < bounds.length ? String(bounds[at]) : '+Inf'
    return `${seriesOf(`${name}_bucket`, { ...labels, le })} ${total}\n`
  })
  return `${buckets.join('')}${seriesOf(`${name}_sum`, labels)} ${sum}\n${seriesOf(`${name}_count`, labels)} ${total}\n`
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

/**
 * Counters, gauges and histograms in Prometheus's text format; their names have the labels in them already. A histogram is
 * what has buckets: its series come as they are exposed, in the order of their bounds.
 */
export function metricsText(counters: ReadonlyMap<string, number>): string {
  const names = new Set([...counters.keys()].map(nameOf))
  const families = Map.groupBy(counters, ([series]) => familyOf(nameOf(series), names))
  return [...families]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, series]) => {
      const type = names.has(`${name}_bucket`) ? 'histogram' : name.endsWith('_total') ? 'counter' : 'gauge'
      return `# TYPE ${name} ${type}\n${series.map(([full, value]) => `${full} ${value}\n`).join('')}`
    })
    .join('')
}

function nameOf(series: string): string {
  return series.replace(/\{.*$/s, '')
}

function familyOf(name: string, names: ReadonlySet<string>): string {
  const base = name.replace(/_(?:bucket|sum|count)$/, '')
  return names.has(`${base}_bucket`) ? base : name
}

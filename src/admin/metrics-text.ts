/** Counters and gauges in Prometheus's text format; their names have the labels in them already. */
export function metricsText(counters: ReadonlyMap<string, number>): string {
  const families = Map.groupBy(counters, ([series]) => series.replace(/\{.*$/s, ''))
  return [...families]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, series]) => {
      const type = name.endsWith('_total') ? 'counter' : 'gauge'
      return `# TYPE ${name} ${type}\n${series.map(([full, value]) => `${full} ${value}\n`).join('')}`
    })
    .join('')
}

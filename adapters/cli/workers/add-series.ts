import type { Series } from './messages.ts'

/** Moments, and what is so or not, are not added up: of several processes, the one that is worse off counts. */
const LEAST = /^sallyport_(?:\w+_timestamp_seconds|audit_writable|certificate_expiry_seconds|upstream_usable)(?:\{|$)/

/** Adds counters and gauges of one process to those of others. */
export function addSeries(sum: Map<string, number>, series: Series): void {
  for (const [name, value] of series) {
    const known = sum.get(name)
    if (known === undefined) sum.set(name, value)
    else sum.set(name, LEAST.test(name) ? Math.min(known, value) : known + value)
  }
}

/** What of a process counts on when it is gone: counters and histograms only grow, gauges were about what it did. */
export function lasting(series: Series): Series {
  return series.filter(([name]) => /_(?:total|bucket|sum|count)(?:\{|$)/.test(name))
}

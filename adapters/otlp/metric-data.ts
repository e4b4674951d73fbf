import type { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer'
import type { HistogramSeries, Labels, MetricFamily } from '../../src/metrics/family.ts'
import { hrTime } from './hr-time.ts'
import type { Scope } from './scope.ts'

/** All metrics as OpenTelemetry's SDK has them. */
export type MetricsData = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0]
type MetricData = MetricsData['scopeMetrics'][number]['metrics'][number]

/** Numbers of OpenTelemetry's metrics SDK, which is not loaded for them. */
const HISTOGRAM = 0
const GAUGE = 2
const SUM = 3
const CUMULATIVE = 1
const DOUBLE = 1

/** Cumulative since `startMs`. */
export function metricsData(
  families: readonly MetricFamily[],
  { resource, instrumentationScope }: Scope,
  startMs: number,
  nowMs: number,
): MetricsData {
  const times = { startTime: hrTime(startMs), endTime: hrTime(nowMs) }
  const metrics = families.flatMap(({ name, definition, values, histograms }): MetricData[] => {
    const { help: description, type } = definition
    const common = { aggregationTemporality: CUMULATIVE }
    if (type === 'histogram') {
      if (histograms.length === 0) return []
      const { convention, buckets } = definition
      const unit = convention?.unit ?? unitOf(name)
      const dataPoints = histograms.map(series => ({ ...times, ...histogramPoint(series, buckets) }))
      const descriptor = { name: convention?.name ?? name, description, unit, valueType: DOUBLE, advice: {} }
      return [{ ...common, descriptor, dataPointType: HISTOGRAM, dataPoints } as MetricData]
    }
    if (values.length === 0) return []
    const descriptor = { name, description, unit: unitOf(name), valueType: DOUBLE, advice: {} }
    const dataPoints = values.map(({ labels, value }) => ({ ...times, attributes: attributesOf(labels), value }))
    return [
      type === 'counter'
        ? ({ ...common, descriptor, dataPointType: SUM, isMonotonic: true, dataPoints } as MetricData)
        : ({ ...common, descriptor, dataPointType: GAUGE, dataPoints } as MetricData),
    ]
  })
  return { resource, scopeMetrics: [{ scope: instrumentationScope, metrics }] }
}

function unitOf(name: string): string {
  return /_seconds(?:_total)?$/.test(name) ? 's' : '1'
}

function histogramPoint({ labels, counts, sum }: HistogramSeries, boundaries: readonly number[]) {
  const count = counts.reduce((all, each) => all + each, 0)
  return {
    attributes: attributesOf(labels),
    value: { buckets: { boundaries: [...boundaries], counts: [...counts] }, sum, count },
  }
}

/** As the conventions write them; those without a value are left out. */
function attributesOf(labels: Labels): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name.replace(/^gen_ai_/, 'gen_ai.').replace(/^(gen_ai\.\w+?|error)_/, '$1.'), value]),
  )
}

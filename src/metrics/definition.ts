/** What a label can say: some of these words, or, in a few words, what bounds its values. */
type LabelValues = readonly string[] | string
export type LabelDefinitions = Readonly<Record<string, LabelValues>>

interface Common<L extends LabelDefinitions> {
  readonly labels: L
  /** One line for `# HELP` and the reference. */
  readonly help: string
}

/** Only grows; its name ends in `_total`. */
export interface CounterDefinition<L extends LabelDefinitions = LabelDefinitions> extends Common<L> {
  readonly type: 'counter'
}

export interface GaugeDefinition<L extends LabelDefinitions = LabelDefinitions> extends Common<L> {
  readonly type: 'gauge'
}

export interface HistogramDefinition<L extends LabelDefinitions = LabelDefinitions> extends Common<L> {
  readonly type: 'histogram'
  readonly buckets: readonly number[]
  /** As OTLP calls it, where OpenTelemetry's conventions have a name for it. */
  readonly convention?: { readonly name: string; readonly unit: string }
}

export type MetricDefinition = CounterDefinition | GaugeDefinition | HistogramDefinition

export const counter = <const L extends LabelDefinitions>(labels: L, help: string): CounterDefinition<L> => ({
  type: 'counter',
  labels,
  help,
})

export const gauge = <const L extends LabelDefinitions>(labels: L, help: string): GaugeDefinition<L> => ({
  type: 'gauge',
  labels,
  help,
})

export const histogram = <const L extends LabelDefinitions>(
  buckets: readonly number[],
  labels: L,
  help: string,
  convention?: { readonly name: string; readonly unit: string },
): HistogramDefinition<L> => ({ type: 'histogram', buckets, labels, help, ...(convention && { convention }) })

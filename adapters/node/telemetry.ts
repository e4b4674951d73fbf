import { configureSync, getConfig, getLogger, type LogLevel, type LogRecord } from '@logtape/logtape'
import type { MetricFamily } from '../../src/metrics/family.ts'
import { MetricStore } from '../../src/metrics/metric-store.ts'
import type { GaugeName, LabelsOf } from '../../src/metrics/table.ts'
import { seriesOfAll } from '../../src/metrics/text.ts'
import type { Fields, Level, Measurements, Telemetry } from '../../src/ports/telemetry.ts'
import { LineWriter } from './line-writer.ts'
import { masked } from './mask.ts'

export interface TelemetryOptions {
  /** The lowest level that is printed; by default `LOG_LEVEL`, else `info`. */
  readonly level?: Level
  /** Takes each line, without its end; by default standard error. Must not throw. */
  readonly write?: (line: string) => void
  /** In every line. */
  readonly fields?: Fields
}

export interface NodeTelemetry extends Telemetry, Measurements {
  /** Sets a gauge that is read where metrics are. */
  set<M extends GaugeName>(metric: M, labels: LabelsOf<M>, value: number): void
  /** Calls back before metrics are read, to set such gauges. */
  onRead(callback: () => void): void
  /** All metrics as they are now. */
  metrics(): readonly MetricFamily[]
  /** The same by `name{label="value"}`, histograms as they are exposed: what processes tell each other. */
  snapshot(): ReadonlyMap<string, number>
}

const CATEGORY = 'sallyport'
const STDERR = 2
const LEVELS: Readonly<Record<Level, LogLevel>> = { debug: 'debug', info: 'info', warn: 'warning', error: 'error' }
const DROPPED = 'sallyport_log_lines_dropped_total' as const

/** Whether LogTape's one configuration in this process is ours, and so ours to replace. */
let ours = false

/**
 * Logs as JSON lines through LogTape, and metrics in memory. A program that has configured LogTape itself keeps its
 * sinks: then `options` say nothing, and the records arrive there under the category `sallyport`.
 */
export function createTelemetry(options: TelemetryOptions = {}): NodeTelemetry {
  const store = new MetricStore()
  const reads: (() => void)[] = []
  const metrics = () => {
    for (const read of reads) read()
    return store.families()
  }
  if (ours || getConfig() === null) configure(options, () => store.add(DROPPED, undefined, 1))
  const logger = getLogger(CATEGORY)
  return {
    log(level, event, fields) {
      try {
        const safe = fields ? maskedFields(fields) : {}
        if (level === 'debug') logger.debug(event, safe)
        else if (level === 'info') logger.info(event, safe)
        else if (level === 'warn') logger.warn(event, safe)
        else logger.error(event, safe)
      } catch {
        store.add(DROPPED, undefined, 1)
      }
    },
    count: (metric, labels, by = 1) => store.add(metric, labels, by),
    observe: (metric, labels, value) => store.observe(metric, labels, value),
    set: (metric, labels, value) => store.set(metric, labels, value),
    onRead: callback => void reads.push(callback),
    metrics,
    snapshot: () => seriesOfAll(metrics()),
  }
}

function configure(options: TelemetryOptions, onDropped: () => void): void {
  const write = options.write ?? stderrWriter(onDropped)
  configureSync({
    reset: true,
    sinks: { lines: (record: LogRecord) => write(lineOf(record, options.fields)) },
    loggers: [
      { category: CATEGORY, sinks: ['lines'], lowestLevel: LEVELS[options.level ?? levelFromEnvironment()] },
      { category: ['logtape', 'meta'], sinks: ['lines'], lowestLevel: 'error' },
    ],
  })
  ours = true
}

function stderrWriter(onDropped: () => void): (line: string) => void {
  const writer = new LineWriter(STDERR, onDropped)
  return line => writer.line(line)
}

function lineOf(record: LogRecord, fields: Fields = {}): string {
  const level = record.level === 'warning' ? 'warn' : record.level
  return JSON.stringify({
    time: new Date(record.timestamp).toISOString(),
    level,
    event: record.message.join(''),
    ...fields,
    ...record.properties,
  })
}

function maskedFields(fields: Fields): Record<string, unknown> {
  const safe: Record<string, unknown> = {}
  for (const name in fields) safe[name] = masked(name, fields[name])
  return safe
}

function levelFromEnvironment(): Level {
  const value = process.env['LOG_LEVEL']?.toLowerCase()
  return value !== undefined && Object.hasOwn(LEVELS, value) ? (value as Level) : 'info'
}

import type { Config } from '../../src/config/config.ts'
import { Tracer } from '../../src/tracing/tracer.ts'
import { systemClock } from '../node/clock.ts'
import type { ExporterOptions, OtlpExporter } from '../otlp/exporter.ts'

/** Loads what sends metrics and traces where they are to be sent; else nothing. */
export async function startOtlp(
  { telemetry }: Config,
  parts: Omit<ExporterOptions, 'config'>,
): Promise<OtlpExporter | undefined> {
  if (!telemetry?.otlp) return undefined
  const { OtlpExporter } = await import('../otlp/exporter.ts')
  return new OtlpExporter({ ...parts, config: telemetry.otlp })
}

/** Undefined where no request is ever traced. */
export function createTracer({ telemetry }: Config, exporter: OtlpExporter): Tracer | undefined {
  if (!telemetry?.otlp) return undefined
  const { sample, callers, propagate } = telemetry.otlp.traces
  if (sample === 0 && callers.length === 0) return undefined
  return new Tracer({ sample, propagate, clock: systemClock, ended: exporter.add })
}

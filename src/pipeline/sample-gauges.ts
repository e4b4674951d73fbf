import type { GaugeName, LabelsOf } from '../metrics/table.ts'
import type { Services } from './services.ts'

type SetGauge = <M extends GaugeName>(metric: M, labels: LabelsOf<M>, value: number) => void

/** What is so at a moment, and costs nothing until somebody asks. */
export function sampleGauges({ audit, pool }: Pick<Services, 'audit' | 'pool'>, set: SetGauge): void {
  set('sallyport_audit_writable', undefined, audit.broken ? 0 : 1)
  set('sallyport_audit_waiting_records', undefined, audit.waiting)
  set('sallyport_audit_lag_seconds', undefined, audit.lagMs() / 1000)
  for (const { model, upstream, usable, inFlight } of pool.states()) {
    set('sallyport_upstream_usable', { model, upstream }, usable ? 1 : 0)
    set('sallyport_upstream_in_flight', { model, upstream }, inFlight)
  }
}

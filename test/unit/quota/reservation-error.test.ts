import { expect, test } from 'vitest'
import { createTelemetry } from '../../../adapters/node/telemetry.ts'
import { metricsText } from '../../../src/metrics/text.ts'
import { ReservationError } from '../../../src/quota/reservation-error.ts'

test('the error of reservations is a histogram as Prometheus reads it: cumulative, in order, below 0 too', () => {
  const telemetry = createTelemetry()
  const error = new ReservationError(telemetry)
  for (const [reserved, actual] of [
    [100, 100],
    [150, 100],
    [100, 5100],
    [1_000_000, 1],
  ] as const) {
    error.observe('m', 'learned', reserved, actual)
  }
  const text = metricsText(telemetry.snapshot())
  expect(text).toContain('# TYPE sallyport_reservation_error_tokens histogram\n')
  const buckets = [...text.matchAll(/_bucket\{le="(.+?)",model="m",source="learned"\} (\d+)/g)].map(([, le, n]) => [
    le,
    n,
  ])
  expect(buckets).toEqual([
    ['-10000', '0'],
    ['-1000', '1'],
    ['-100', '1'],
    ['-10', '1'],
    ['-1', '1'],
    ['0', '2'],
    ['10', '2'],
    ['100', '3'],
    ['1000', '3'],
    ['10000', '3'],
    ['100000', '3'],
    ['+Inf', '4'],
  ])
  expect(text).toContain('sallyport_reservation_error_tokens_sum{model="m",source="learned"} 995049\n')
  expect(text).toContain('sallyport_reservation_error_tokens_count{model="m",source="learned"} 4\n')
})

import { seriesOf } from '../counters.ts'
import type { Ending } from './expiry.ts'

const METRIC = 'sallyport_certificate_expiry_seconds'

const KINDS = {
  server_certificate: 'certificate',
  client_certificate: 'certificate',
  client_authority: 'ca',
  server_authority: 'ca',
  revocation_list: 'crl',
} as const satisfies Record<Ending['what'], string>

/** What ends, by its use: `data`, `admin`, `redis`, `upstream:https://gpu-1:8443`. */
export type EndingsByUse = Iterable<readonly [use: string, endings: readonly Ending[]]>

/**
 * Seconds that are left, as Prometheus has its series: of each use and kind the one that ends first, below 0 when it has
 * ended. Files are not named: who reads metrics need not know the disk.
 */
export function expirySeries(uses: EndingsByUse, nowMs: number): Map<string, number> {
  const series = new Map<string, number>()
  for (const [use, endings] of uses) {
    for (const { what, endsAtMs } of endings) {
      const name = seriesOf(METRIC, { use, kind: KINDS[what] })
      const left = Math.floor((endsAtMs - nowMs) / 1000)
      series.set(name, Math.min(left, series.get(name) ?? Infinity))
    }
  }
  return series
}

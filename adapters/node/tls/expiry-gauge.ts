import type { Ending } from './expiry.ts'

const KINDS = {
  server_certificate: 'certificate',
  client_certificate: 'certificate',
  client_authority: 'ca',
  server_authority: 'ca',
  revocation_list: 'crl',
} as const satisfies Record<Ending['what'], string>

/** What ends, by its use: `data`, `admin`, `redis`, `upstream:https://gpu-1:8443`. */
export type EndingsByUse = Iterable<readonly [use: string, endings: readonly Ending[]]>

export interface TimeLeft {
  readonly labels: { readonly use: string; readonly kind: (typeof KINDS)[Ending['what']] }
  readonly seconds: number
}

/**
 * Of each use and kind the one that ends first, below 0 when it has ended. Files are not named: who reads metrics need not
 * know the disk.
 */
export function timesLeft(uses: EndingsByUse, nowMs: number): TimeLeft[] {
  const least = new Map<string, TimeLeft>()
  for (const [use, endings] of uses) {
    for (const { what, endsAtMs } of endings) {
      const kind = KINDS[what]
      const seconds = Math.floor((endsAtMs - nowMs) / 1000)
      const known = least.get(`${kind} ${use}`)
      if (known === undefined || seconds < known.seconds)
        least.set(`${kind} ${use}`, { labels: { use, kind }, seconds })
    }
  }
  return [...least.values()]
}

import type { Usage } from '../../src/admin/usage.ts'
import { formatQuantity } from '../../src/config/units.ts'
import { print, printable, printTable } from './print.ts'

type Limit = Usage['limits'][number]

/** Prints the windows, the fullest first, and what was used since the instance started. */
export function printUsage({ limits, totals }: Usage): void {
  const rows = limits.toSorted((one, other) => share(other) - share(one)).map(limitRow)
  print(rows.length === 0 ? 'no window of any limit' : 'Limits, the fullest first')
  if (rows.length > 0) printTable([['LIMIT', 'WHOSE', 'COUNTS', 'USED', 'OF', '', 'WINDOW', 'EMPTY IN'], ...rows])
  const { others } = totals
  const used = totals.rows.map(row => [row.team, row.app, row.env, row.model, ...numbers(row)].map(printable))
  if (others.requests > 0) used.push(['others', '', '', '', ...numbers(others)])
  print('')
  print(`${used.length === 0 ? 'Nothing used' : 'Used'} on this instance since ${printable(totals.since)}`)
  if (used.length > 0) printTable([['TEAM', 'APP', 'ENV', 'MODEL', 'REQUESTS', 'REFUSED', 'INPUT', 'OUTPUT'], ...used])
}

function limitRow(limit: Limit): string[] {
  const { limit: name, per, counts, used, of, windowMs, resetMs } = limit
  const whose = Object.entries(per).map(([part, value]) => `${part} ${value}`)
  const isHeld = counts === 'concurrent'
  return [
    name,
    whose.length === 0 ? 'everybody' : whose.join(', '),
    counts,
    grouped(used),
    grouped(of),
    `${Math.floor(100 * share(limit))}%`,
    isHeld ? '' : formatQuantity('duration', windowMs),
    isHeld || resetMs === 0 ? '' : roundedUp(resetMs),
  ].map(printable)
}

function share({ used, of }: Limit): number {
  return used / Math.max(1, of)
}

function numbers(of: Usage['totals']['others']): string[] {
  return [of.requests, of.refused, of.inputTokens, of.outputTokens].map(grouped)
}

function grouped(number: number): string {
  return number.toLocaleString('en')
}

const UNITS = [
  ['s', 1000, 120],
  ['m', 60_000, 120],
  ['h', 3_600_000, 48],
] as const

/** In the unit that leaves two digits or a little more. */
function roundedUp(ms: number): string {
  for (const [unit, length, most] of UNITS) if (ms <= most * length) return `${Math.ceil(ms / length)}${unit}`
  return `${Math.ceil(ms / 86_400_000)}d`
}

import { findingsOf, type ReadBack } from '../../src/audit/query.ts'
import { print, printable, styled } from './print.ts'

type Column = readonly [title: string, width: number, cell: (record: ReadBack) => string]

/** Widths are fixed: the next record may be long in coming. */
const COLUMNS: readonly Column[] = [
  ['TIME', 24, ({ time }) => text(time)],
  ['OUTCOME', 8, ({ outcome }) => text(outcome)],
  ['STATUS', 6, ({ status }) => text(status)],
  ['TEAM/APP/ENV', 24, ({ team, app, env }) => [team, app, env].map(text).filter(Boolean).join('/')],
  ['MODEL', 20, ({ model, action }) => text(action ?? model)],
  [
    'TOKENS',
    12,
    ({ inputTokens, outputTokens }) => (inputTokens === undefined ? '' : `${text(inputTokens)}+${text(outputTokens)}`),
  ],
  ['MS', 8, ({ latencyMs }) => (typeof latencyMs === 'number' ? latencyMs.toFixed(0) : '')],
  ['REQUEST', 36, ({ requestId }) => text(requestId)],
  ['WHY', 0, why],
]

/** Prints records: in columns on a terminal, else as they are. */
export function recordPrinter(asJson: boolean): (line: string, record: ReadBack) => void {
  if (asJson || !process.stdout.isTTY) return line => print(line)
  print(styled('bold', rowOf(COLUMNS.map(([title]) => title)), process.stdout))
  return (_line, record) => print(rowOf(COLUMNS.map(([, , cell]) => cell(record))))
}

function rowOf(cells: readonly string[]): string {
  return cells
    .map((cell, at) => fitted(printable(cell), COLUMNS[at]?.[1] ?? 0))
    .join(' ')
    .trimEnd()
}

function fitted(cell: string, width: number): string {
  if (width === 0 || cell.length === width) return cell
  return cell.length < width ? cell.padEnd(width) : `${cell.slice(0, width - 1)}…`
}

function why(record: ReadBack): string {
  const found = findingsOf(record).map(({ rule, action }) => `${rule}:${action}`)
  return [text(record['errorCode']), text(record['reason']), ...found].filter(Boolean).join(' ')
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

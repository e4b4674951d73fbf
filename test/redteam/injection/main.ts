import { parseArgs } from 'node:util'
import { INJECTION_THRESHOLD } from '../../../src/guard/injection.ts'
import { isMade, type Judged, leaveOneOut, lengthAlone, overDefence, shareFrom, thresholdFor } from './evaluate.ts'

/** How well injections are found in sources that nothing was learnt from: `npm run eval:injection`, `--json` for programs. */

const { values } = parseArgs({ options: { json: { type: 'boolean' } } })

const judged = leaveOneOut()
const benign = judged.filter(row => row.label === 0 && !isMade(row))
const strict = thresholdFor(benign, 0.01)

function summary(source: string, rows: readonly Judged[]) {
  return {
    source,
    texts: rows.length,
    phrases: shareFrom(rows, INJECTION_THRESHOLD, 'phrases'),
    atDefault: shareFrom(rows, INJECTION_THRESHOLD),
    atOnePercent: shareFrom(rows, strict),
    lengthAlone: lengthAlone(rows, benign),
  }
}

const bySource = (label: 0 | 1) =>
  [
    ...Map.groupBy(
      judged.filter(row => row.label === label),
      row => row.source,
    ),
  ].map(([source, rows]) => summary(source, rows))
const attacks = bySource(1)
const alarms = [
  ...bySource(0),
  ...[...Map.groupBy(overDefence(), row => row.source)].map(([s, rows]) => summary(`${s} (over-defence)`, rows)),
]
const unseen = attacks.filter(({ source }) => !source.startsWith('made:'))
const mean = (pick: (row: (typeof attacks)[number]) => number) =>
  unseen.reduce((sum, row) => sum + pick(row), 0) / unseen.length

if (values.json === true) {
  console.log(JSON.stringify({ threshold: INJECTION_THRESHOLD, thresholdAtOnePercent: strict, attacks, alarms }))
} else {
  const cell = (share: number) => `${(100 * share).toFixed(1)} %`.padStart(10)
  const line = ({ source, texts, phrases, atDefault, atOnePercent, lengthAlone: length }: (typeof attacks)[number]) =>
    console.log(
      `${source.padEnd(30)}${String(texts).padStart(6)}${cell(phrases)}${cell(atDefault)}${cell(atOnePercent)}${length.toFixed(2).padStart(8)}`,
    )
  const head = (title: string) =>
    console.log(`\n${title.padEnd(30)} texts   phrases     at ${INJECTION_THRESHOLD}    at 1 %  length`)
  head('attacks found, source unseen')
  for (const row of attacks) line(row)
  console.log(
    `mean of the sources by others${' '.repeat(7)}${cell(mean(row => row.phrases))}${cell(mean(row => row.atDefault))}${cell(mean(row => row.atOnePercent))}`,
  )
  head('false alarms, source unseen')
  for (const row of alarms) line(row)
  line(summary('all benign texts by others', benign))
  console.log(`\nthreshold for 1 % of these: ${strict.toFixed(3)}; length: AUC of the length alone, 0.5 tells nothing`)
}

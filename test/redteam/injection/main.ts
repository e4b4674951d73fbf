import { parseArgs } from 'node:util'
import { INJECTION_THRESHOLD } from '../../../src/guard/injection.ts'
import { heldBack, isMade, type Judged, leaveOneOut, lengthAlone, shareFrom, thresholdFor } from './evaluate.ts'

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

const bySource = (rows: readonly Judged[], label: 0 | 1) =>
  [
    ...Map.groupBy(
      rows.filter(row => row.label === label),
      row => row.source,
    ),
  ].map(([source, alike]) => summary(source, alike))
const kept = heldBack()
const attacks = bySource(judged, 1)
const alarms = bySource(judged, 0)
const held = [...bySource(kept, 1), ...bySource(kept, 0)]
/** What is found of the sources by others where so many false alarms are allowed. */
const curve = [0.005, 0.01, 0.02].map(falseAlarms => {
  const threshold = thresholdFor(benign, falseAlarms)
  const found = [
    ...Map.groupBy(
      judged.filter(row => row.label === 1 && !isMade(row)),
      row => row.source,
    ).values(),
  ]
  return {
    falseAlarms,
    threshold,
    mean: found.reduce((sum, rows) => sum + shareFrom(rows, threshold), 0) / found.length,
  }
})
const unseen = attacks.filter(({ source }) => !source.startsWith('made:'))
const mean = (pick: (row: (typeof attacks)[number]) => number) =>
  unseen.reduce((sum, row) => sum + pick(row), 0) / unseen.length

if (values.json === true) {
  console.log(
    JSON.stringify({ threshold: INJECTION_THRESHOLD, thresholdAtOnePercent: strict, attacks, alarms, held, curve }),
  )
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
  head('held back, shipped weights')
  for (const row of held) line(row)
  console.log('\nmean of the sources by others at')
  for (const { falseAlarms, threshold, mean: found } of curve) {
    console.log(
      `${(100 * falseAlarms).toFixed(1)} % false alarms (from ${threshold.toFixed(3)}): ${(100 * found).toFixed(1)} %`,
    )
  }
  console.log(`\nthreshold for 1 % of these: ${strict.toFixed(3)}; length: AUC of the length alone, 0.5 tells nothing`)
}

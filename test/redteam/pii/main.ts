import { parseArgs } from 'node:util'
import { rates, type Score } from '../../support/spans.ts'
import { excerpt, scanCorpus } from './corpus.ts'
import type { Evaluation } from './evaluate.ts'
import { finder, readRows } from './labelled.ts'
import { evaluateSet, type LabelledSet, SETS } from './sets.ts'

/**
 * How well the rules recognise: `npm run eval:pii`, on the sets of the repository or on files of the same shape. The options
 * are in `test/data/pii/README.md`.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    types: { type: 'string' },
    optional: { type: 'string' },
    corpus: { type: 'string' },
    verbose: { type: 'boolean' },
    json: { type: 'boolean' },
  },
})

const list = (text: string | undefined) => text?.split(',').map(item => item.trim())

function fileSet(file: string): LabelledSet {
  const types = list(values.types)
  const optional = list(values.optional)
  return { name: file, rows: () => readRows(file), ...(types && { types }), ...(optional && { optional }) }
}

function line(name: string, score: Score, ...rest: readonly string[]): string {
  const { precision, recall, f1 } = rates(score)
  const share = (value: number, of: number) => (of === 0 ? '-' : value.toFixed(4)).padStart(9)
  const [gold, all] = [score.found + score.missed, score.found + score.wrong]
  const cells = [share(precision, all), share(recall, gold), share(f1, Math.min(gold, all)), String(gold).padStart(7)]
  return [name.padEnd(34), ...cells, ...rest].join('')
}

function typed({ types }: Evaluation): Score {
  const sum = (pick: (score: Score) => number) => [...types.values()].reduce((total, score) => total + pick(score), 0)
  return { found: sum(score => score.found), missed: sum(score => score.missed), wrong: sum(score => score.wrong) }
}

function printEvaluation(name: string, evaluation: Evaluation): void {
  const { texts, types, any, clean, flagged, mistakes } = evaluation
  console.log(`\n${name.padEnd(34)}        P        R       F1  spans`)
  for (const [type, score] of [...types].sort(([one], [other]) => one.localeCompare(other)))
    console.log(line(`  ${type}`, score))
  console.log(line('  all, by type', typed(evaluation)))
  console.log(line('  all, whatever the type', any))
  const share = clean === 0 ? '' : `, flagged ${flagged} (${((100 * flagged) / clean).toFixed(1)} %)`
  console.log(`  ${texts} texts; with nothing to find ${clean}${share}`)
  if (values.verbose !== true) return
  for (const { row, missed, wrong } of mistakes) {
    for (const { type, start, end } of missed)
      console.log(`    ${row.id}: missed ${type}: ${excerpt(row.text, start, end)}`)
    for (const { rule, start, end } of wrong)
      console.log(`    ${row.id}: wrong ${rule}: ${excerpt(row.text, start, end)}`)
  }
}

function asJson({ texts, types, any, clean, flagged, ...rest }: Evaluation): object {
  const rated = (score: Score) => ({ ...score, ...rates(score) })
  const byType = Object.fromEntries([...types].map(([type, score]) => [type, rated(score)]))
  return {
    texts,
    types: byType,
    typed: rated(typed({ texts, types, any, clean, flagged, ...rest })),
    any: rated(any),
    clean,
    flagged,
  }
}

function printCorpus(folder: string): void {
  const { files, characters, byRule } = scanCorpus(folder, finder(list(values.optional)))
  const perMillion = (count: number) => (count / (characters / 1e6)).toFixed(2).padStart(10)
  console.log(`${folder}: ${files} files, ${(characters / 1e6).toFixed(1)} million characters\n`)
  console.log(`${'rule'.padEnd(34)}  findings  a million`)
  for (const [rule, alarms] of [...byRule].sort((one, other) => other[1].length - one[1].length)) {
    console.log(`${rule.padEnd(34)}${String(alarms.length).padStart(10)} ${perMillion(alarms.length)}`)
    if (values.verbose === true) for (const alarm of alarms) console.log(`    ${alarm}`)
  }
}

if (values.corpus !== undefined) {
  printCorpus(values.corpus)
} else {
  const sets = positionals.length > 0 ? positionals.map(fileSet) : SETS
  const results = sets.map(set => [set.name, evaluateSet(set)] as const)
  if (values.json === true) {
    console.log(JSON.stringify(Object.fromEntries(results.map(([name, evaluation]) => [name, asJson(evaluation)]))))
  } else {
    for (const [name, evaluation] of results) printEvaluation(name, evaluation)
  }
}

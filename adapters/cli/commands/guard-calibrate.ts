import type { Command } from 'commander'
import { type Calibration, ScoreCounts, type Share } from '../../../src/guard/calibration.ts'
import { INJECTION_THRESHOLD, scanInjection } from '../../../src/guard/injection.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { note, print, printJson, printTable } from '../print.ts'
import { openInput, textRows } from '../text-rows.ts'

/** The line that says how far it is changes so often, in ms. */
const PROGRESS_MS = 250

interface CalibrateOptions {
  readonly falseAlarms: string
  readonly json?: true
}

/** `sallyport guard calibrate`: the injection threshold that suits one's own traffic. */
export function registerGuardCalibrate(guard: Command): void {
  guard
    .command('calibrate')
    .description('find the injection threshold at which so few of your own harmless texts count as injections')
    .argument('<file>', 'JSON Lines, an object with a "text" a line, all of them harmless; - for standard input')
    .option('--false-alarms <share>', 'the share of harmless texts that may count: 1%, 0.1% or 0.01', '1%')
    .option('--json', 'print the result as JSON')
    .action(calibrate)
}

async function calibrate(file: string, options: CalibrateOptions): Promise<void> {
  const falseAlarms = parseShare(options.falseAlarms)
  const counts = new ScoreCounts()
  const progress = progressLine()
  for await (const { text } of textRows(openInput(file))) {
    counts.add(scanInjection(text).score)
    progress.show(counts.total)
  }
  progress.clear()
  if (counts.total === 0) throw new CommandFailure('there are no texts in it')
  const result = counts.calibrate(falseAlarms, INJECTION_THRESHOLD)
  if (options.json) printJson(result)
  else report(result)
  if (result.threshold === null) {
    throw new CommandFailure(
      `no threshold gives so few: ${percent(result.atOne.share)} of the texts score 1; look at them with sallyport guard scan`,
    )
  }
}

/** `1%` or `0.01`. */
function parseShare(text: string): number {
  const match = /^(\d{1,3}(?:\.\d{1,9})?)\s*(%?)$/.exec(text.trim())
  const share = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : Number.NaN
  if (share > 0 && share < 1) return share
  throw new UsageError('--false-alarms takes a share over 0 and below 1, such as 1% or 0.01')
}

function report({
  texts,
  quantiles,
  threshold,
  interval,
  falseAlarms,
  atThreshold,
  atDefault,
  enough,
}: Calibration): void {
  print(`${texts} texts`)
  printTable([
    ['SHARE OF TEXTS', 'SCORE UP TO'],
    ...quantiles.map(({ share, score }) => [percent(share), score.toFixed(3)]),
  ])
  print(`at the default of ${INJECTION_THRESHOLD}: ${alarms(atDefault)}`)
  if (threshold === null) return
  print(`at ${threshold}: ${alarms(atThreshold)}`)
  const [low, high] = interval
  print(`95 % of samples of this size would give a threshold from ${low} to ${high}`)
  if (!enough)
    note(`with so few texts ${percent(falseAlarms)} is a guess: take at least ${Math.ceil(10 / falseAlarms)}`)
  print(`\nguard:\n  input: { injectionThreshold: ${threshold} }`)
}

function alarms({ share, low, high }: Share): string {
  return `${percent(share)} false alarms (95 % interval: ${percent(low)} to ${percent(high)})`
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`
}

/** How many texts have been read, on a terminal. */
function progressLine() {
  const { stderr } = process
  let shown = performance.now()
  let isShown = false
  return {
    show(count: number): void {
      if (!stderr.isTTY || performance.now() - shown < PROGRESS_MS) return
      shown = performance.now()
      isShown = true
      stderr.write(`\r${count} texts`)
    },
    clear(): void {
      if (isShown) stderr.write('\r\u001b[K')
    },
  }
}

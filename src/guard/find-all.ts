import type { RuleSet } from './rule-set.ts'
import { type Finding, type Replace, Scanner } from './scanner.ts'

/** All matches in a whole text, from left to right, each with its whole extent, that of open-ended ones included. */
export function findAll(rules: RuleSet, text: string): Finding[] {
  const { scanner, found } = finder(rules)
  scanner.whole(text)
  return found
}

/** Units that are looked at before the time is: the slowest text costs less than a microsecond a unit. */
const SLICE = 4096
/** A turn of the event loop that has taken so long is over, in ms. */
const TURN_MS = 5

/** Ends the turn of the event loop, by a promise, when it has taken long enough. */
export type Turns = () => Promise<void> | undefined

/** @param now ms of a clock that only goes forward */
export function takeTurns(now: () => number): Turns {
  let began = now()
  return () => {
    if (now() - began < TURN_MS) return undefined
    return new Promise(resolve => {
      setTimeout(() => {
        began = now()
        resolve()
      })
    })
  }
}

/** As `findAll`, in turns of the event loop, so that nothing else waits for one long text, or for many. */
export async function findAllInTurns(rules: RuleSet, text: string, turns: Turns): Promise<Finding[]> {
  const { scanner, found } = finder(rules)
  for (let at = 0; at < text.length; at += SLICE) {
    await turns()
    scanner.push(text.slice(at, at + SLICE))
  }
  scanner.end()
  return found
}

function finder(rules: RuleSet): { readonly scanner: Scanner; readonly found: Finding[] } {
  const found: Finding[] = []
  const note = (finding: Finding) => {
    found.push(finding)
    return ''
  }
  const scanner = new Scanner(rules, note, ({ end }) => {
    const open = found.pop()
    if (open) found.push({ ...open, end })
  })
  return { scanner, found }
}

/** The text with its matches replaced. Unlike a scanner, it tells `replace` the whole of an open-ended match. */
export function replaceAll(text: string, found: readonly Finding[], replace: Replace): string {
  let replaced = ''
  let done = 0
  for (const finding of found) {
    const { start, end } = finding
    replaced += text.slice(done, start) + replace(finding, text.slice(start, end))
    done = end
  }
  return replaced + text.slice(done)
}

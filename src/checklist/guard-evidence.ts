import type { Config } from '../config/config.ts'
import { at } from '../config/fault.ts'
import type { Evaluate, Evidence } from './evaluate.ts'

const DAY_MS = 86_400_000
/** A quarter: as long as a token may live. */
const MAX_REDTEAM_AGE_DAYS = 90

/** Rows 20 to 25. */
export const guardEvidence: readonly Evaluate[] = [
  ({ config }) => action(config, 'input', 'injection', ['off']),
  ({ config }) => action(config, 'input', 'pii', ['off']),
  ({ config }) => action(config, 'output', 'pii', ['off', 'flag']),
  ({ config }) => {
    const { maxCharacters } = config.guard.output
    if (maxCharacters !== undefined) return { met: true, evidence: `Answers are cut at ${maxCharacters} characters` }
    const open = config.models.filter(({ maxOutputTokens }) => maxOutputTokens === undefined).map(({ id }) => id)
    if (open.length > 0)
      return {
        met: false,
        evidence: `No limit for ${open.join(', ')} (models[].maxOutputTokens or guard.output.maxCharacters)`,
      }
    return {
      met: true,
      evidence: config.models.map(({ id, maxOutputTokens }) => `${id}: ${maxOutputTokens} tokens`).join(', '),
    }
  },
  ({ redteam, nowMs }) => {
    if (!redteam.ok) return { met: false, evidence: `No run is recorded: ${redteam.reason}` }
    const { time, passed, target, categories } = redteam.value
    const age = Math.floor((nowMs - Date.parse(time)) / DAY_MS)
    const probes = categories.reduce((sum, category) => sum + category.probes, 0)
    const run = `Last run ${time.slice(0, 10)}, ${probes} rows, ${target ?? 'the guard in process'}`
    if (!passed) return { met: false, wrong: true, evidence: `${run}: floors missed` }
    return {
      met: age <= MAX_REDTEAM_AGE_DAYS,
      evidence: `${run}: floors held${age > MAX_REDTEAM_AGE_DAYS ? `, ${age} days ago` : ''}`,
    }
  },
  ({ redteam }) => ({
    met: false,
    evidence: `The gateway does not see your CI${redteam.ok ? `; the suite of the last run is ${redteam.value.suite.slice(0, 12)}` : ''}`,
  }),
]

/** What is done about a kind of finding, in general and for whom an exception is made. */
function action(
  config: Config,
  side: 'input' | 'output',
  kind: 'injection' | 'pii',
  weak: readonly string[],
): Evidence {
  const { guard } = config
  const of = (settings: object | undefined) => (settings as Record<string, string | undefined> | undefined)?.[kind]
  const general = of(guard[side]) ?? 'off'
  const path = `guard.${side}.${kind}: ${general}`
  if (weak.includes(general)) return { met: false, wrong: true, evidence: path }
  const exceptions = guard.exceptions.flatMap((exception, index) => {
    const value = of(exception[side])
    return value !== undefined && weak.includes(value) ? `${at('guard.exceptions', index)}: ${value}` : []
  })
  return { met: exceptions.length === 0, evidence: [path, ...exceptions].join('; ') }
}

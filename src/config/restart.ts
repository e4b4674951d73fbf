import { type Config, embeddedFile } from './config.ts'

/** What a running gateway takes anew. All that is not named here needs a restart, what later releases add included. */
const RELOADED: ReadonlySet<string> = new Set([
  'proxies',
  'admin.issue',
  'admin.pullFrom',
  'tokens',
  'models',
  'timeouts',
  'quotas',
  'instances',
  'admission',
  'guard',
  'request',
  'audit.onFailure',
  'audit.hmacSecret',
  'audit.intent',
  'audit.previousHmacSecrets',
  'weights',
])

/** Parts of which some keys are taken anew and others are not. */
const DIVIDED: ReadonlySet<string> = new Set(['admin', 'audit', 'listen'])

/** What the document calls these. */
const NAMES: Readonly<Record<string, string>> = {
  'audit.maxBytes': 'audit.maxFileSize',
  'audit.maxAgeMs': 'audit.maxFileAge',
}

type Part = Readonly<Record<string, unknown>>

/**
 * The keys of the document that differ and that a running gateway cannot follow.
 * @param now with what equals `before` shared (`shareUnchanged`)
 */
export function needsRestart(before: Config, now: Config): string[] {
  const keys = changed(before as unknown as Part, now as unknown as Part).flatMap(key => {
    const [one, other] = [before[key as keyof Config] as Part | undefined, now[key as keyof Config] as Part | undefined]
    const isDivided = DIVIDED.has(key) && one !== undefined && other !== undefined
    return isDivided ? changed(one, other).map(inner => `${key}.${inner}`) : key
  })
  const fixed = keys.filter(key => !RELOADED.has(key)).map(key => NAMES[key] ?? key)
  // Only where there are limits is the store this process's alone, and are its windows kept.
  const isFirstLimit = embeddedFile(now.state) !== undefined && before.quotas.length === 0 && now.quotas.length > 0
  return isFirstLimit ? [...fixed, 'quotas'] : fixed
}

/** The parts of the document that differ, for people. */
export function changedParts(before: Config, now: Config): string[] {
  return changed(before as unknown as Part, now as unknown as Part)
}

function changed(before: Part, now: Part): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(now)])
  return [...keys].filter(key => !Object.is(before[key], now[key]))
}

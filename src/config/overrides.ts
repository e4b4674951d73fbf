import type { Environment } from './substitute.ts'

interface Override {
  readonly variable: string
  readonly section?: string
  readonly key: string
  readonly read: (value: string) => string
}

/** What people set per host. `SALLYPORT_CONFIG` names the file itself and is read by the command line. */
const OVERRIDES: readonly Override[] = [
  { variable: 'PORT', section: 'listen', key: 'port', read: value => value },
  { variable: 'REDIS_URL', key: 'state', read: value => value },
  { variable: 'PROMPT_HMAC_SECRET', section: 'audit', key: 'hmacSecret', read: value => value },
  { variable: 'INFERENCE_TIMEOUT_MS', section: 'timeouts', key: 'firstByte', read: value => `${value}ms` },
]

/** The document with the environment's values in place, and the variable behind each replaced path. */
export interface Overridden {
  readonly document: Readonly<Record<string, unknown>>
  readonly variables: ReadonlyMap<string, string>
}

/**
 * Puts the environment's values over the document's. Empty variables count as not set. A section that is no mapping is
 * left for the schema to refuse.
 */
export function override(document: Readonly<Record<string, unknown>>, env: Environment): Overridden {
  const result: Record<string, unknown> = { ...document }
  const variables = new Map<string, string>()
  for (const { variable, section, key, read } of OVERRIDES) {
    const value = env[variable]
    if (value === undefined || value === '') continue
    // Taken as it is: a "${" in it is not ours to replace.
    const text = read(value).replaceAll('${', '$$${')
    if (section === undefined) {
      result[key] = text
      variables.set(key, variable)
      continue
    }
    const inner = result[section] ?? {}
    if (typeof inner !== 'object' || Array.isArray(inner)) continue
    result[section] = { ...inner, [key]: text }
    variables.set(`${section}.${key}`, variable)
  }
  return { document: result, variables }
}

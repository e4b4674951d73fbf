import type { ModelConfig, UpstreamConfig } from '../config/config.ts'
import { SERVER_KINDS } from './kinds.ts'
import type { ServedEndpoint } from './server-kind.ts'
import { withSystemPrompt } from './system-prompt.ts'

type Fields = Record<string, unknown>

/** What of an endpoint matters to the fields that are sent. */
export interface EndpointRules {
  readonly path: string
  readonly outputFields: readonly string[]
  readonly asksForUsage: boolean
}

/** How a kind serves an endpoint. Offers are made of what all kinds serve, so that there is one. */
export function servedBy({ kind }: UpstreamConfig, path: string): ServedEndpoint {
  const served = SERVER_KINDS[kind].serves[path]
  if (!served) throw new Error(`${kind} does not serve ${path}`)
  return served
}

/**
 * The fields as one kind of server gets them: those that it takes, the model's system prompt in front, usage asked for, and
 * the answer's length bounded by a field that it obeys.
 * @param salt for servers that separate cached prompts by it
 */
export function upstreamFields(
  given: Readonly<Fields>,
  endpoint: EndpointRules,
  model: ModelConfig,
  served: ServedEndpoint,
  salt: string | undefined,
): Fields {
  const all = { ...given }
  withSystemPrompt(all, model, endpoint.path)
  boundOutput(all, endpoint.outputFields, model.maxOutputTokens, served.boundedBy)
  const fields: Fields = {}
  const names = namesTaken(served)
  for (const name of Object.keys(all)) if (names.has(name)) fields[name] = all[name]
  if (given['stream'] === true && endpoint.asksForUsage) {
    fields['stream_options'] = { ...(fields['stream_options'] as Fields | undefined), include_usage: true }
  }
  if (salt !== undefined && served.takesCacheSalt) fields['cache_salt'] = salt
  return served.sets ? Object.assign(fields, served.sets) : fields
}

const taken = new WeakMap<ServedEndpoint, ReadonlySet<string>>()

function namesTaken(served: ServedEndpoint): ReadonlySet<string> {
  let names = taken.get(served)
  if (!names) taken.set(served, (names = new Set(served.takes)))
  return names
}

/** No bound of a caller is above the model's; without one, the model's is set. All come to one where a server obeys one. */
function boundOutput(
  fields: Fields,
  names: readonly string[],
  limit: number | undefined,
  boundedBy: string | undefined,
): void {
  const [first] = names
  if (first === undefined) return
  let least = limit ?? Number.POSITIVE_INFINITY
  let bounded = false
  for (const name of names) {
    const asked = fields[name]
    if (typeof asked !== 'number') continue
    bounded = true
    least = Math.min(least, asked)
    if (limit !== undefined) fields[name] = Math.min(asked, limit)
  }
  if (boundedBy === undefined ? !bounded && limit !== undefined : least < Number.POSITIVE_INFINITY) {
    fields[boundedBy ?? first] = least
  }
}

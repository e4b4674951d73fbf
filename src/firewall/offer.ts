import type { ModelConfig } from '../config/config.ts'
import { SERVER_KINDS } from './kinds.ts'
import type { ServedEndpoint } from './server-kind.ts'
import { bypassesSystemPrompt } from './system-prompt.ts'

/** What a model is served with, whichever of its servers has room: what all of their kinds take. */
export interface Offer {
  /** By the gateway's path: the fields that a caller may send. */
  readonly endpoints: ReadonlyMap<string, ReadonlySet<string>>
  /** The kinds, for refusals. */
  readonly kinds: readonly string[]
}

/**
 * The intersection over the kinds of a model's servers, so that the same request is taken or refused at any time, and no
 * field reaches a server that was meant for another. Made once a model.
 */
export function offerOf(model: ModelConfig): Offer {
  const kinds = [...new Set(model.upstreams.map(({ kind }) => kind))]
  const [first, ...others] = kinds.map(kind => SERVER_KINDS[kind].serves)
  const endpoints = new Map<string, ReadonlySet<string>>()
  for (const [path, served] of Object.entries(first ?? {})) {
    if (bypassesSystemPrompt(model, path)) continue
    let fields: ReadonlySet<string> = new Set(acceptedBy(served))
    for (const serves of others) {
      const also = serves[path]
      fields = also ? fields.intersection(new Set(acceptedBy(also))) : new Set()
    }
    // Every endpoint has a model.
    if (fields.has('model')) endpoints.set(path, fields)
  }
  return { endpoints, kinds }
}

function acceptedBy({ takes, drops = [] }: ServedEndpoint): string[] {
  return [...takes, ...drops]
}

import * as v from 'valibot'
import type { ModelConfig, UpstreamConfig, UpstreamKind } from '../config/config.ts'
import { CATALOGUE, type ErrorCode } from '../errors/catalogue.ts'
import type { Refusal } from '../errors/refusal.ts'
import { type Ask, askerOf } from '../model-servers/ask.ts'
import { KINDS, offersOf } from '../model-servers/kinds.ts'
import { MODEL_STATES, type ModelServerKind, type Outcome } from '../model-servers/model-server.ts'
import { granted, type Result, refused } from './route.ts'
import { described } from './schemas.ts'
import type { AdminServices } from './services.ts'

/** How an action ended on one model server. */
export const serverResult = v.strictObject({
  upstream: v.pipe(v.string(), described('Its URL, as configured.')),
  kind: v.string(),
  ok: v.boolean(),
  state: v.exactOptional(v.pipe(v.picklist(MODEL_STATES), described('The state of the model after it.'))),
  code: v.exactOptional(v.pipe(v.string(), described('Why it was not done.'))),
  detail: v.exactOptional(v.string()),
})
export const actionAnswer = v.strictObject({ model: v.string(), results: v.array(serverResult) })

type ServerResult = v.InferInput<typeof serverResult>

/** The servers of a model that a call is about: all, or those of the URL that it names. */
export function serversOf(model: ModelConfig, upstream: string | undefined): readonly UpstreamConfig[] {
  return model.upstreams.filter(({ url }) => upstream === undefined || url === upstream)
}

export const NO_SUCH_SERVER: Refusal = {
  code: 'invalid_value',
  param: 'upstream',
  message: 'The model has no server of this URL.',
}

/** What is to be done on one server; undefined where its kind does not offer it. */
export type Job = (kind: ModelServerKind, ask: Ask) => Promise<Outcome<void>> | undefined

/**
 * Does something on all servers of a model at once, or on the one that is named. It is granted when at least one server did
 * it and the others do not offer it; otherwise refused with the first failure. The answer says how it went on each.
 */
export async function onEachServer(
  services: AdminServices,
  model: ModelConfig,
  upstream: string | undefined,
  job: Job,
): Promise<Result<v.InferInput<typeof actionAnswer>>> {
  const servers = serversOf(model, upstream)
  if (servers.length === 0) return refused(NO_SUCH_SERVER)
  const results = await Promise.all(servers.map(server => onServer(services, model, server, job)))
  const failed = results.find(({ ok, code }) => !ok && code !== 'not_offered') ?? results.find(({ ok }) => !ok)
  const isDone = results.some(({ ok }) => ok) && failed?.code !== undefined && failed.code === 'not_offered'
  if (failed === undefined || isDone) return granted({ model: model.id, results })
  const detail = failed.detail ?? CATALOGUE[failed.code as ErrorCode].message
  const message = `${failed.upstream}: ${detail}`
  return refused({ code: failed.code as ErrorCode, message, reason: message }, { model: model.id, results })
}

async function onServer(
  services: AdminServices,
  model: ModelConfig,
  server: UpstreamConfig,
  job: Job,
): Promise<ServerResult> {
  const { url, kind } = server
  const about = { upstream: url, kind }
  const ask = askerOf(services.upstream, server)
  if (services.busy.has(url)) return { ...about, ok: false, code: 'action_in_progress' }
  services.busy.add(url)
  try {
    const begun = job(KINDS[kind], ask)
    if (!begun) return { ...about, ok: false, code: 'not_offered', detail: notOffered(kind) }
    const outcome = await begun
    if (!outcome.ok) return { ...about, ok: false, code: outcome.code, detail: outcome.reason }
    const state = await KINDS[kind].state(ask, model.id)
    return { ...about, ok: true, ...(state.ok && { state: state.value }) }
  } finally {
    services.busy.delete(url)
  }
}

export function notOffered(kind: UpstreamKind): string {
  const offers = offersOf(kind)
  return offers.length === 0
    ? `a server of the kind ${kind} offers no management`
    : `a server of the kind ${kind} offers ${offers.join(', ')}`
}

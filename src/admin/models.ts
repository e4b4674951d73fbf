import * as v from 'valibot'
import { mayUseModel, type Principal } from '../auth/principal.ts'
import type { ModelConfig, UpstreamConfig } from '../config/config.ts'
import { text } from '../config/fields.ts'
import type { Refusal } from '../errors/refusal.ts'
import { askerOf } from '../model-servers/ask.ts'
import { KINDS, offersOf } from '../model-servers/kinds.ts'
import { MODEL_STATES, type ModelAction } from '../model-servers/model-server.ts'
import { registryOf } from '../model-servers/ollama.ts'
import { actionAnswer, onEachServer } from './each-server.ts'
import { type AdminRoute, granted, refused, route } from './route.ts'
import { described, modelId, NOTHING } from './schemas.ts'
import type { AdminServices } from './services.ts'

export const modelParams = v.strictObject({ id: modelId })
export const upstreamQuery = v.strictObject({
  upstream: v.exactOptional(
    v.pipe(text(), described('The URL of one model server, as configured; absent: all of them.')),
  ),
})

const shownModel = v.strictObject({
  id: v.string(),
  adapters: v.pipe(v.array(v.string()), described('Names of the adapters that may be loaded.')),
  upstreams: v.array(
    v.strictObject({
      url: v.string(),
      kind: v.string(),
      inFlight: v.pipe(v.number(), described('Requests with it now, of this instance.')),
      draining: v.pipe(v.boolean(), described('It gets no new requests of this instance.')),
      maxInFlight: v.exactOptional(v.number()),
      offers: v.pipe(v.array(v.string()), described('What a server of its kind can be asked to do.')),
      state: v.exactOptional(
        v.pipe(v.picklist(MODEL_STATES), described('Of the model; absent where it does not say.')),
      ),
      error: v.exactOptional(v.pipe(v.string(), described('Why it does not say.'))),
    }),
  ),
})

export const LIST_MODELS = route({
  method: 'GET',
  path: '/admin/models',
  scopes: ['models:read', 'models:admin'],
  action: 'models.list',
  summary: 'The models that your token may use, their servers and states, asked of each server now',
  params: NOTHING,
  query: NOTHING,
  body: undefined,
  answer: v.strictObject({ models: v.array(shownModel) }),
  status: 200,
  changes: false,
  async run({ by }, services) {
    const models = services.config.models.filter(({ id }) => mayUseModel(by, id))
    return granted({ models: await Promise.all(models.map(model => shown(model, services))) })
  },
})

export const SHOW_MODEL = route({
  method: 'GET',
  path: '/admin/models/:id',
  scopes: ['models:read', 'models:admin'],
  action: 'models.show',
  summary: 'One model, its servers and states',
  params: modelParams,
  query: NOTHING,
  body: undefined,
  answer: shownModel,
  status: 200,
  changes: false,
  target: ({ params }) => params.id,
  async run({ params, by }, services) {
    const found = findModel(params.id, by, services)
    return 'refusal' in found ? refused(found.refusal) : granted(await shown(found.model, services))
  },
})

const SUMMARIES: Readonly<Record<ModelAction, string>> = {
  load: 'Load the model into memory (llama.cpp as a router, Ollama)',
  unload: 'Let the model go from memory (llama.cpp as a router, Ollama)',
  sleep: 'Free the GPU, and keep the weights in main memory (vLLM)',
  wake: 'Take the model back onto the GPU (vLLM)',
  pull: 'Fetch the model from its registry, where `admin.pullFrom` names it (Ollama)',
  delete: 'Delete the model from the disk of its servers (Ollama)',
}

function action(name: ModelAction): AdminRoute {
  const isDelete = name === 'delete'
  return route({
    method: isDelete ? 'DELETE' : 'POST',
    path: isDelete ? '/admin/models/:id' : `/admin/models/:id/${name}`,
    scopes: ['models:admin'],
    action: `models.${name}`,
    summary: SUMMARIES[name],
    params: modelParams,
    query: upstreamQuery,
    body: undefined,
    answer: actionAnswer,
    status: 200,
    changes: true,
    target: ({ params }) => params.id,
    async run({ params, query, by }, services) {
      const found = findModel(params.id, by, services)
      if ('refusal' in found) return refused(found.refusal)
      const { id } = found.model
      if (name === 'pull' && !services.config.admin?.pullFrom.includes(registryOf(id))) {
        const message = `admin.pullFrom does not name the registry ${registryOf(id)}.`
        return refused({ code: 'action_forbidden', message })
      }
      return onEachServer(services, found.model, query.upstream, ({ actions }, ask) =>
        actions[name]?.(ask, id, services.config.timeouts.totalMs),
      )
    },
  })
}

export const MODEL_ACTION_ROUTES = (['load', 'unload', 'sleep', 'wake', 'pull', 'delete'] as const).map(action)

/** A model that the token may use. */
export function findModel(
  id: string,
  by: Principal,
  { config }: AdminServices,
): { readonly model: ModelConfig } | { readonly refusal: Refusal } {
  if (!mayUseModel(by, id))
    return { refusal: { code: 'model_forbidden', message: 'Your token may not use this model.' } }
  const model = config.models.find(one => one.id === id)
  return model ? { model } : { refusal: { code: 'model_not_found', message: 'No such model is configured.' } }
}

async function shown({ id, adapters = [], upstreams }: ModelConfig, services: AdminServices) {
  const servers = await Promise.all(upstreams.map(server => shownServer(id, server, services)))
  return { id, adapters: adapters.map(({ name }) => name), upstreams: servers }
}

async function shownServer(model: string, server: UpstreamConfig, { upstream, pool }: AdminServices) {
  const { url, kind, maxInFlight } = server
  const state = await KINDS[kind].state(askerOf(upstream, server), model)
  return {
    url,
    kind,
    inFlight: pool.inFlightOf(server),
    draining: pool.isDraining(server),
    ...(maxInFlight !== undefined && { maxInFlight }),
    offers: [...offersOf(kind)],
    ...(state.ok ? { state: state.value } : { error: state.code }),
  }
}

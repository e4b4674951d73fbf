import * as v from 'valibot'
import type { Principal } from '../auth/principal.ts'
import type { AdapterConfig, ModelConfig } from '../config/config.ts'
import type { Refusal } from '../errors/refusal.ts'
import { askerOf } from '../model-servers/ask.ts'
import { KINDS } from '../model-servers/kinds.ts'
import { actionAnswer, notOffered, onEachServer } from './each-server.ts'
import { findModel, modelParams, upstreamQuery } from './models.ts'
import { granted, refused, route } from './route.ts'
import { described, modelId, NOTHING, name } from './schemas.ts'
import type { AdminServices } from './services.ts'

export const LIST_ADAPTERS = route({
  method: 'GET',
  path: '/admin/models/:id/adapters',
  scopes: ['models:read', 'models:admin'],
  action: 'adapters.list',
  summary: 'The LoRA adapters of a model that the configuration names, and which of them each server has loaded',
  params: modelParams,
  query: NOTHING,
  body: undefined,
  answer: v.strictObject({
    model: v.string(),
    adapters: v.array(v.string()),
    upstreams: v.array(
      v.strictObject({
        url: v.string(),
        kind: v.string(),
        loaded: v.exactOptional(v.array(v.string())),
        error: v.exactOptional(v.pipe(v.string(), described('Why it does not say.'))),
      }),
    ),
  }),
  status: 200,
  changes: false,
  target: ({ params }) => params.id,
  async run({ params, by }, services) {
    const found = findModel(params.id, by, services)
    if ('refusal' in found) return refused(found.refusal)
    const { id, adapters = [], upstreams } = found.model
    const servers = upstreams.map(async server => {
      const { url, kind } = server
      const listed = await KINDS[kind].adapters?.list(askerOf(services.upstream, server), adapters)
      if (!listed) return { url, kind, error: notOffered(kind) }
      return { url, kind, ...(listed.ok ? { loaded: [...listed.value] } : { error: listed.reason }) }
    })
    const names = adapters.map(adapter => adapter.name)
    return granted({ model: id, adapters: names, upstreams: await Promise.all(servers) })
  },
})

export const LOAD_ADAPTER = route({
  method: 'POST',
  path: '/admin/models/:id/adapters',
  scopes: ['models:admin'],
  action: 'adapters.load',
  summary: 'Load a LoRA adapter that the configuration names (llama.cpp without a router, vLLM)',
  params: modelParams,
  query: upstreamQuery,
  body: v.strictObject({ name: v.pipe(name, described('Its name in `models[].adapters`.')) }),
  answer: actionAnswer,
  status: 200,
  changes: true,
  target: ({ params, body }) => `${params.id}/${body.name}`,
  run: ({ params, query, body, by }, services) => change('load', params.id, body.name, query.upstream, by, services),
})

export const UNLOAD_ADAPTER = route({
  method: 'DELETE',
  path: '/admin/models/:id/adapters/:name',
  scopes: ['models:admin'],
  action: 'adapters.unload',
  summary: 'Unload a LoRA adapter',
  params: v.strictObject({ id: modelId, name }),
  query: upstreamQuery,
  body: undefined,
  answer: actionAnswer,
  status: 200,
  changes: true,
  target: ({ params }) => `${params.id}/${params.name}`,
  run: ({ params, query, by }, services) => change('unload', params.id, params.name, query.upstream, by, services),
})

async function change(
  what: 'load' | 'unload',
  id: string,
  adapterName: string,
  upstream: string | undefined,
  by: Principal,
  services: AdminServices,
) {
  const found = findAdapter(id, adapterName, by, services)
  if ('refusal' in found) return refused(found.refusal)
  return onEachServer(services, found.model, upstream, ({ adapters }, ask) =>
    adapters?.[what](ask, found.adapter, services.config.timeouts.totalMs),
  )
}

/** Callers give names; where an adapter lies is the configuration's to say. */
function findAdapter(
  id: string,
  adapterName: string,
  by: Principal,
  services: AdminServices,
): { readonly model: ModelConfig; readonly adapter: AdapterConfig } | { readonly refusal: Refusal } {
  const found = findModel(id, by, services)
  if ('refusal' in found) return found
  const adapter = found.model.adapters?.find(one => one.name === adapterName)
  if (adapter) return { model: found.model, adapter }
  return {
    refusal: { code: 'not_found', param: 'name', message: 'The configuration names no such adapter of this model.' },
  }
}

import * as v from 'valibot'
import { NO_SUCH_SERVER, serversOf } from './each-server.ts'
import { findModel, modelParams, upstreamQuery } from './models.ts'
import { type AdminRoute, granted, refused, route } from './route.ts'
import { described } from './schemas.ts'

const drained = v.strictObject({
  model: v.string(),
  upstreams: v.array(
    v.strictObject({
      url: v.string(),
      draining: v.boolean(),
      inFlight: v.pipe(v.number(), described('Requests with it now, of this instance: at 0 it may be stopped.')),
    }),
  ),
})

/** Taking servers of a model out of use, and back. Nothing is asked of the servers: it works for those that are gone. */
function switching(name: 'drain' | 'undrain', summary: string): AdminRoute {
  return route({
    method: 'POST',
    path: `/admin/models/:id/${name}`,
    scopes: ['models:admin'],
    action: `models.${name}`,
    summary,
    params: modelParams,
    query: upstreamQuery,
    body: undefined,
    answer: drained,
    status: 200,
    changes: true,
    target: ({ params, query }) => (query.upstream === undefined ? params.id : `${params.id} at ${query.upstream}`),
    async run({ params, query, by }, services) {
      const found = findModel(params.id, by, services)
      if ('refusal' in found) return refused(found.refusal)
      const { pool } = services
      const servers = serversOf(found.model, query.upstream)
      if (servers.length === 0) return refused(NO_SUCH_SERVER)
      for (const server of servers) pool.drain(server, name === 'drain')
      const upstreams = servers.map(server => ({
        url: server.url,
        draining: pool.isDraining(server),
        inFlight: pool.inFlightOf(server),
      }))
      return granted({ model: found.model.id, upstreams })
    },
  })
}

export const DRAIN_ROUTES = [
  switching('drain', 'Send the servers of a model no new requests; those under way finish (this instance)'),
  switching('undrain', 'Send them requests again (this instance)'),
]

import type { Ask } from './ask.ts'
import {
  type Act,
  DONE,
  done,
  failureOf,
  isObject,
  look,
  type ModelServerKind,
  type ModelState,
  type Outcome,
  objectsIn,
} from './model-server.ts'

/** Stays loaded until it is told otherwise. */
const FOR_EVER = -1
const DEFAULT_REGISTRY = 'registry.ollama.ai'

/** Ollama: loads at the first request, forgets after some minutes, and fetches models from registries. */
export const OLLAMA: ModelServerKind = {
  state,
  actions: {
    load: keep(FOR_EVER),
    unload: keep(0),
    async pull(ask, model, timeoutMs) {
      const said = await ask({ method: 'POST', path: '/api/pull', body: { model, stream: false }, timeoutMs })
      const failure = failureOf(said)
      if (failure) return failure
      const fetched = said.ok && isObject(said.json) && said.json['status'] === 'success'
      return fetched ? DONE : { ok: false, code: 'upstream_failed', reason: 'the pull did not succeed' }
    },
    async delete(ask, model, timeoutMs) {
      const said = await ask({ method: 'DELETE', path: '/api/delete', body: { model }, timeoutMs })
      const isGone = said.ok && said.status === 404
      return isGone ? DONE : (failureOf(said) ?? DONE)
    },
  },
}

/** The registry that Ollama would pull a model from: `host/namespace/model:tag`, of which model alone is needed. */
export function registryOf(model: string): string {
  const parts = model.split('/')
  return parts.length > 2 ? (parts[0] as string).toLowerCase() : DEFAULT_REGISTRY
}

async function state(ask: Ask, model: string): Promise<Outcome<ModelState>> {
  const [running, local] = await Promise.all([look(ask, '/api/ps'), look(ask, '/api/tags')])
  const failure = failureOf(running) ?? failureOf(local)
  if (failure) return failure
  const has = (json: unknown) => objectsIn(json, 'models').some(({ name }) => name === tagged(model))
  if (has(running.ok && running.json)) return done('loaded')
  return done(has(local.ok && local.json) ? 'unloaded' : 'absent')
}

/** In its lists every model has its tag. */
function tagged(model: string): string {
  return /:[^/]*$/.test(model) ? model : `${model}:latest`
}

/** A request without a prompt loads the model, or lets it go, for the time that it is to be kept. */
function keep(keepAlive: number): Act {
  return async (ask, model, timeoutMs) => {
    const body = { model, keep_alive: keepAlive, stream: false }
    return failureOf(await ask({ method: 'POST', path: '/api/generate', body, timeoutMs })) ?? DONE
  }
}

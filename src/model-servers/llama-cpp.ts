import type { AdapterConfig } from '../config/config.ts'
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
  switchedOff,
} from './model-server.ts'

const NO_ROUTER = 'llama-server loads models only as a router (--models-dir or --models-preset)'
const NO_ADAPTER = 'llama-server knows only the adapters that it was started with (--lora)'

/**
 * llama-server. As a router it starts and stops a process a model; otherwise it has one model. The adapters are those of
 * its command line: loading one sets its scale to 1, unloading to 0. A router has no list of them.
 */
export const LLAMA_CPP: ModelServerKind = {
  state,
  actions: { load: change('load', ['loaded', 'loading']), unload: change('unload', ['unloaded', 'absent']) },
  adapters: {
    async list(ask, adapters) {
      const known = await launched(ask)
      if (!known.ok) return known
      const on = known.value.filter(({ scale }) => scale !== 0)
      return done(adapters.filter(({ path }) => on.some(one => one.path === path)).map(({ name }) => name))
    },
    load: (ask, adapter, timeoutMs) => scaleTo(1, ask, adapter, timeoutMs),
    unload: (ask, adapter, timeoutMs) => scaleTo(0, ask, adapter, timeoutMs),
  },
}

/** `unloaded` is also what a router says of a model whose process has died. */
async function state(ask: Ask, model: string): Promise<Outcome<ModelState>> {
  const said = await look(ask, '/models')
  // Without a router: its model is still on its way into memory.
  if (said.ok && said.status === 503) return done('loading')
  const failure = failureOf(said)
  if (failure) return failure
  const models = objectsIn(said.ok && said.json, 'data')
  // Only a router tells the status; without one, there is one model, whatever name it is asked for by.
  if (models.length > 0 && !models.some(one => isObject(one['status']))) return done('loaded')
  const found = models.find(({ id, aliases }) => id === model || (Array.isArray(aliases) && aliases.includes(model)))
  if (!found) return done('absent')
  const value = isObject(found['status']) ? found['status']['value'] : undefined
  return done(value === 'loaded' || value === 'loading' || value === 'sleeping' ? value : 'unloaded')
}

/** A router refuses to load what is loaded and to unload what is not; then it is as was asked for. */
function change(what: 'load' | 'unload', wanted: readonly ModelState[]): Act {
  return async (ask, model, timeoutMs) => {
    const said = await ask({ method: 'POST', path: `/models/${what}`, body: { model }, timeoutMs })
    const failure = failureOf(said)
    if (!failure) return DONE
    if (!said.ok) return failure
    const now = await state(ask, model)
    if (said.status === 404 && !(now.ok && now.value === 'absent')) return switchedOff(NO_ROUTER)
    return said.status === 400 && now.ok && wanted.includes(now.value) ? DONE : failure
  }
}

interface Launched {
  readonly id: number
  readonly path: string
  readonly scale: number
}

async function launched(ask: Ask): Promise<Outcome<readonly Launched[]>> {
  const said = await look(ask, '/lora-adapters')
  if (said.ok && (said.status === 404 || said.status === 400)) return switchedOff('a router has no list of adapters')
  const failure = failureOf(said)
  if (failure) return failure
  return done(
    objectsIn(said.ok && said.json).flatMap(({ id, path, scale }) =>
      typeof id === 'number' && typeof path === 'string' && typeof scale === 'number' ? [{ id, path, scale }] : [],
    ),
  )
}

/** All scales are set together, and those that are left out to 0: so the others are sent as they are. */
async function scaleTo(scale: number, ask: Ask, { path }: AdapterConfig, timeoutMs: number): Promise<Outcome<void>> {
  const known = await launched(ask)
  if (!known.ok) return known
  if (!known.value.some(one => one.path === path)) return switchedOff(NO_ADAPTER)
  const body = known.value.map(one => ({ id: one.id, scale: one.path === path ? scale : one.scale }))
  return failureOf(await ask({ method: 'POST', path: '/lora-adapters', body, timeoutMs })) ?? DONE
}

import type { Ask, Said } from './ask.ts'
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

const NO_SLEEP = 'vLLM sleeps only when started with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1'
const NO_ADAPTERS = 'vLLM changes adapters only when started with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True'

/** vLLM: one model for the life of the process, which can sleep; adapters are models of their own beside it. */
export const VLLM: ModelServerKind = {
  state,
  actions: {
    // Level 1 keeps the weights in the machine's memory; they cannot be had back from level 2.
    sleep: change('/sleep?level=1'),
    wake: change('/wake_up'),
  },
  adapters: {
    async list(ask, adapters) {
      const said = await look(ask, '/v1/models')
      const ids = objectsIn(said.ok && said.json, 'data').map(({ id }) => id)
      return failureOf(said) ?? done(adapters.map(({ name }) => name).filter(name => ids.includes(name)))
    },
    async load(ask, { name, path }, timeoutMs) {
      const body = { lora_name: name, lora_path: path }
      const said = await ask({ method: 'POST', path: '/v1/load_lora_adapter', body, timeoutMs })
      if (isUnknownRoute(said)) return switchedOff(NO_ADAPTERS)
      return failureOf(said) ?? DONE
    },
    async unload(ask, { name }, timeoutMs) {
      const body = { lora_name: name }
      const said = await ask({ method: 'POST', path: '/v1/unload_lora_adapter', body, timeoutMs })
      if (isUnknownRoute(said)) return switchedOff(NO_ADAPTERS)
      return failureOf(said) ?? DONE
    },
  },
}

async function state(ask: Ask, model: string): Promise<Outcome<ModelState>> {
  const [models, sleep] = await Promise.all([look(ask, '/v1/models'), look(ask, '/is_sleeping')])
  const failure = failureOf(models)
  if (failure) return failure
  if (!objectsIn(models.ok && models.json, 'data').some(({ id }) => id === model)) return done('absent')
  const sleeps = sleep.ok && isObject(sleep.json) && sleep.json['is_sleeping'] === true
  return done(sleeps ? 'sleeping' : 'loaded')
}

function change(path: `/${string}`): Act {
  return async (ask, _model, timeoutMs) => {
    const said = await ask({ method: 'POST', path, timeoutMs })
    return isUnknownRoute(said) ? switchedOff(NO_SLEEP) : (failureOf(said) ?? DONE)
  }
}

/** Its own 404s, of adapters that are not there, name an error. */
function isUnknownRoute(said: Said): boolean {
  return said.ok && said.status === 404 && isObject(said.json) && said.json['detail'] === 'Not Found'
}

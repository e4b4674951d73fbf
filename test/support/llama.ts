import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { LLAMA_SERVER, MODELS, modelFile } from '../setup/cache.ts'
import { freePort } from './ports.ts'
import { type Exit, startProcess } from './process.ts'
import { tempDir } from './temp-dir.ts'

export interface LlamaOptions {
  /** `tiny` answers at once, `slow` at 40 to 115 tokens a second. Both talk nonsense unless a grammar or `say` holds them. */
  readonly model?: keyof typeof MODELS
  /** What the model always answers, on every endpoint, in pieces of one to four characters. */
  readonly say?: string
  /** More arguments for llama-server; they win over those below. */
  readonly args?: readonly string[]
  /** On top of this process's own. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Llama extends AsyncDisposable {
  /** Without `/v1`. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** The name of its model. */
  readonly model: string
  /** How many requests it works on now. */
  slots(): Promise<number>
  output(): string
  stop(): Promise<Exit>
}

/** A real llama-server with two slots of 2048 tokens. */
export async function startLlama({ model = 'tiny', say, args = [], env }: LlamaOptions = {}): Promise<Llama> {
  const file = modelFile(say === undefined ? MODELS[model] : { ...MODELS[model], say })
  return start(model, ['--model', file, '--alias', model, ...args], env)
}

/** A real llama-server as a router: it has the model `tiny`, and loads it only when told to. */
export async function startLlamaRouter(): Promise<Llama> {
  const folder = tempDir()
  symlinkSync(modelFile(MODELS.tiny), join(folder, 'tiny.gguf'))
  return start('tiny', ['--models-dir', folder, '--no-models-autoload'])
}

async function start(model: string, args: readonly string[], env?: LlamaOptions['env']): Promise<Llama> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const where = ['--host', '127.0.0.1', '--port', String(port)]
  const how = ['--ctx-size', '4096', '--parallel', '2', '--threads', '1', '--metrics', '--slots', '--props', '--no-ui']
  const isHealthy = () =>
    fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) }).then(
      response => response.ok,
      () => false,
    )
  const server = await startProcess(LLAMA_SERVER, [...where, ...how, ...args], {
    ready: isHealthy,
    deadlineMs: 30_000,
    ...(env && { env }),
  })
  return {
    url,
    port,
    pid: server.pid,
    model,
    output: server.output,
    stop: server.stop,
    slots: async () => {
      const response = await fetch(`${url}/slots`, { signal: AbortSignal.timeout(5000) })
      const slots = (await response.json()) as { is_processing: boolean }[]
      return slots.filter(slot => slot.is_processing).length
    },
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
  }
}

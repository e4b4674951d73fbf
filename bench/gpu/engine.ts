import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { LLAMA_SERVER } from '../../test/setup/cache.ts'
import { tinyGgufParts } from '../../test/setup/tiny-gguf.ts'
import { freePort, type RunningProcess, runProcess, startProcess, tempDir } from '../../test/support/index.ts'

export const ENGINES = ['llama.cpp', 'vllm', 'transformers'] as const
export type EngineName = (typeof ENGINES)[number]

export interface Engine extends AsyncDisposable {
  readonly name: EngineName
  readonly version: string
  /** What it runs on: the GPU by its name, or `CPU`. */
  readonly device: string
  /** How its model came to be. */
  readonly weights: string
  /** Without `/v1`. */
  readonly url: string
  readonly model: string
  /** As in `models[].upstreams[].kind`. */
  readonly kind: 'llama.cpp' | 'vllm' | 'openai'
}

/** The shape of Llama 2 7B, but for its vocabulary: 6.5 billion weights, 13 GB. */
const SEVEN_BILLION = { name: '7b', layers: 32, dim: 4096, ffn: 11_008, heads: 32, sameLayers: true }
/** 5 million, for a machine without a GPU. */
const SMALL = { name: 'small', layers: 4, dim: 256, ffn: 768, heads: 4, sameLayers: true }

/** Of one stream's prompt and answer, in tokens: at 64 streams, 21 GB beside the weights of the 7B shape. */
const CONTEXT = 640
/** Loading of the weights, and what an engine compiles before it answers. */
const START_DEADLINE_MS = 420_000

/** A program that is not installed ends with 127, as any shell has it. */
const shell = (command: string) => runProcess('sh', ['-c', command], { deadlineMs: 60_000 })

/** The GPU by its name, or undefined. */
export async function findGpu(): Promise<string | undefined> {
  const { code, stdout } = await shell('nvidia-smi --query-gpu=name --format=csv,noheader')
  return code === 0 ? stdout.trim().split('\n')[0] : undefined
}

/** The first engine that is installed and uses the GPU; without a GPU, the llama-server of the tests. */
export async function findEngine(gpu: string | undefined): Promise<EngineName> {
  if (gpu === undefined) return 'llama.cpp'
  const devices = await shell('llama-server --list-devices 2>&1')
  if (/CUDA\d/.test(devices.stdout)) return 'llama.cpp'
  for (const name of ['vllm', 'transformers'] as const) if ((await shell(`command -v ${name}`)).code === 0) return name
  throw new Error('there is a GPU, but neither llama-server with CUDA, nor vllm, nor transformers on the PATH')
}

/**
 * Starts an engine for so many streams at the same time. llama.cpp makes do without `model`: random weights are made for it. The others
 * need a folder with a configuration and a tokenizer; vLLM makes up the weights itself.
 */
export async function startEngine(options: {
  readonly name: EngineName
  readonly gpu: string | undefined
  readonly model: string | undefined
  readonly streams: number
}): Promise<Engine> {
  const { name, gpu, streams } = options
  if (name !== 'llama.cpp' && options.model === undefined)
    throw new Error(`${name} needs --model FOLDER, with config.json and a tokenizer`)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const model = options.model ?? randomModel(gpu === undefined ? SMALL : SEVEN_BILLION)
  const { command, args, kind, served } = commandOf(name, { gpu, model, port, streams })
  const version = await runProcess(command, ['--version'], { deadlineMs: 120_000 })
  const isReady = () =>
    fetch(`${url}${name === 'transformers' ? '/v1/models' : '/health'}`, { signal: AbortSignal.timeout(2000) }).then(
      response => response.ok,
      () => false,
    )
  const server: RunningProcess = await startProcess(command, args, { ready: isReady, deadlineMs: START_DEADLINE_MS })
  return {
    name,
    version: (version.stdout + version.stderr).match(/\d+\.\d+\S*.*/)?.[0] ?? 'unknown',
    device: gpu ?? 'CPU',
    weights:
      options.model ?? (gpu === undefined ? 'random, 5 million' : 'random, 6.5 billion, the shape of a 7B model'),
    url,
    model: served,
    kind,
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
  }
}

interface Place {
  readonly gpu: string | undefined
  readonly model: string
  readonly port: number
  readonly streams: number
}

function commandOf(name: EngineName, { gpu, model, port, streams }: Place) {
  const where = ['--host', '127.0.0.1', '--port', String(port)]
  switch (name) {
    case 'llama.cpp': {
      const size = ['--ctx-size', String(streams * CONTEXT), '--parallel', String(streams), '--ignore-eos', '--no-ui']
      const device = gpu === undefined ? ['--threads', '1'] : ['--n-gpu-layers', '999', '--flash-attn', 'on']
      const command = gpu === undefined ? LLAMA_SERVER : 'llama-server'
      const args = ['--model', model, '--alias', 'bench', ...where, ...size, ...device]
      return { command, args, kind: 'llama.cpp' as const, served: 'bench' }
    }
    case 'vllm': {
      const size = ['--max-model-len', String(CONTEXT), '--max-num-seqs', String(streams)]
      const args = ['serve', model, '--served-model-name', 'bench', '--load-format', 'dummy', ...where, ...size]
      return { command: 'vllm', args, kind: 'vllm' as const, served: 'bench' }
    }
    case 'transformers':
      return {
        command: 'transformers',
        args: ['serve', '--continuous-batching', ...where],
        kind: 'openai' as const,
        served: model,
      }
  }
}

/** Writes a model of random weights into a folder that goes with the process. */
function randomModel(shape: Parameters<typeof tinyGgufParts>[0]): string {
  const file = join(tempDir(), 'model.gguf')
  const handle = openSync(file, 'w')
  for (const part of tinyGgufParts(shape)) for (let at = 0; at < part.length; ) at += writeSync(handle, part, at)
  closeSync(handle)
  return file
}

// What the tests need beyond npm packages: where it lies, and how models come to be. All of it can be deleted at any time.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { tinyAdapter } from './tiny-adapter.ts'
import { type TinyModel, tinyGguf } from './tiny-gguf.ts'

export const CACHE = resolve(process.env.SALLYPORT_TEST_CACHE ?? join(import.meta.dirname, '../../.cache'))

export const LLAMA_DIR = join(CACHE, 'llama-server')
export const LLAMA_SERVER = join(LLAMA_DIR, 'bin/llama-server')
export const DEBS_DIR = join(CACHE, 'debs')
export const APT_LOCK = join(CACHE, 'apt.lock')
const MODELS_DIR = join(CACHE, 'models')

mkdirSync(MODELS_DIR, { recursive: true })

export const MODELS = {
  /** Answers at once; 300 KB. */
  tiny: {},
  /** 171 MB, 40 to 115 tokens a second: for aborts, stalls and fairness. */
  slow: { name: 'slow', layers: 12, dim: 768, ffn: 2048, heads: 12 },
} as const satisfies Record<string, TinyModel>

const RECIPE = ['gguf.ts', 'tiny-gguf.ts', 'tiny-tokenizer.ts', 'tiny-adapter.ts'].map(file =>
  readFileSync(join(import.meta.dirname, file)),
)

/** The file of this model, made on first use. Its name is a digest of options and recipe: change either and it is made anew. */
export function modelFile(model: TinyModel): string {
  return cached(model.name ?? 'tiny', JSON.stringify(model), () => tinyGguf(model))
}

/** The file of a LoRA adapter for the model `tiny`. */
export function adapterFile(): string {
  return cached('adapter', '', tinyAdapter)
}

function cached(name: string, options: string, make: () => Buffer): string {
  const digest = createHash('sha256').update(options)
  for (const code of RECIPE) digest.update(code)
  const path = join(MODELS_DIR, `${name}-${digest.digest('hex').slice(0, 12)}.gguf`)
  if (existsSync(path)) return path
  // Renamed into place: test workers that ask together both get a whole file.
  const draft = `${path}.${process.pid}.tmp`
  writeFileSync(draft, make())
  renameSync(draft, path)
  return path
}

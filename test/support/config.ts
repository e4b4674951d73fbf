import { readFileSync } from 'node:fs'
import { type LoadResult, loadConfig } from '../../src/config/load.ts'
import type { Sources } from '../../src/config/substitute.ts'

/** The sample of docs/configuration.md, which the documentation promises to load. */
export const SAMPLE = /```yaml\n([\s\S]*?)```/.exec(
  readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8'),
)?.[1] as string

/** A secret of good length. */
export const SECRET = '0123456789abcdef0123456789abcdef'

/** The least that loads. */
export const MINIMAL = `
models: [{ id: m, upstreams: [{ url: http://127.0.0.1:8080/v1, kind: llama.cpp }] }]
audit: { hmacSecret: ${SECRET} }
`

/** Reads a configuration with an environment and files of the test's own; relative paths are in `/base`. */
export function load(
  text: string,
  env: Sources['env'] = {},
  files: Readonly<Record<string, string>> = {},
): Promise<LoadResult> {
  return loadConfig(text, {
    env,
    readFile: path => {
      const content = files[path]
      return Promise.resolve(
        content === undefined ? { ok: false, reason: 'there is no such file' } : { ok: true, text: content },
      )
    },
    resolvePath: path => (path.startsWith('/') ? path : `/base/${path}`),
  })
}

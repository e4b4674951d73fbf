import { posix } from 'node:path'
import { init, parse } from 'es-module-lexer'
import { transform } from 'esbuild'

/** Parts of the core that know nothing of the request path or of the web framework. */
const DOMAINS = [
  'auth',
  'policy',
  'quota',
  'guard',
  'sse',
  'openai',
  'wires',
  'audit',
  'errors',
  'firewall',
  'config',
  'pool',
  'metrics',
  'tracing',
  'ports',
  'proxies',
  'json',
  'validators',
  'model-servers',
  'weights',
  'checklist',
  'redteam',
]

const RUNTIME_MODULE = /^(node|bun|cloudflare|deno):|^bun$/
const RUNTIME_GLOBALS = ['process', 'Buffer', 'Bun', 'Deno', 'require', 'setImmediate']

const inSrc = (path: string) => path.startsWith('src/')
const domainOf = (path: string) => DOMAINS.find(domain => path.startsWith(`src/${domain}/`))

/** What `to`, a module name or a path in the repository, may not be to a file of the core. Type-only imports count too. */
function forbidden(from: string, to: string): string | undefined {
  if (RUNTIME_MODULE.test(to)) return 'the core runs on every runtime'
  if (to.startsWith('../')) return 'it lies outside the repository'
  const isFile = /^(src|adapters|deploy|test|bench)\//.test(to)
  if (isFile && !inSrc(to)) return 'the core stands on its own: adapters depend on it'
  if (domainOf(from) === undefined) return undefined
  if (to.startsWith('src/pipeline/') || to === 'src/gateway.ts') return 'domains do not know the request path'
  if (to === 'hono' || to.startsWith('hono/')) return 'domains do not know the web framework'
  return undefined
}

/**
 * The runtime globals that the code uses. The bundler replaces only names that are bound nowhere in the file, so that
 * comments, strings, properties and variables of the same name are none, and `declare const process` hides nothing.
 */
async function globalsUsed(code: string): Promise<string[]> {
  const define = Object.fromEntries(
    RUNTIME_GLOBALS.flatMap(name => [name, `globalThis.${name}`].map(use => [use, `RUNTIME_GLOBAL_${name}`])),
  )
  const { code: marked } = await transform(code, { loader: 'ts', define })
  return [...new Set([...marked.matchAll(/\bRUNTIME_GLOBAL_(\w+)/g)].map(match => match[1] ?? ''))]
}

function importsOf(path: string, code: string): string[] {
  return parse(code)[0].flatMap(({ specifier }) => {
    if (typeof specifier !== 'string') return []
    return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier
  })
}

/** Each cycle once, as the paths along it. Linear in files and imports. */
function cycles(graph: Map<string, string[]>): string[][] {
  const found: string[][] = []
  const trail: string[] = []
  const done = new Set<string>()
  const visit = (path: string) => {
    const start = trail.indexOf(path)
    if (start >= 0) found.push([...trail.slice(start), path])
    if (start >= 0 || done.has(path)) return
    trail.push(path)
    for (const next of graph.get(path) ?? []) visit(next)
    trail.pop()
    done.add(path)
  }
  for (const path of graph.keys()) visit(path)
  return found
}

/** Every breach of the layering among these files (path in the repository -> code), in words. */
export async function violations(files: ReadonlyMap<string, string>): Promise<string[]> {
  await init()
  const graph = new Map([...files].map(([path, code]) => [path, importsOf(path, code)]))
  const found: string[] = []
  for (const [path, code] of files) {
    if (!inSrc(path)) continue
    for (const target of graph.get(path) ?? []) {
      const reason = forbidden(path, target)
      if (reason) found.push(`${path} imports ${target}: ${reason}`)
    }
    for (const name of await globalsUsed(code)) found.push(`${path} uses ${name}: the core runs on every runtime`)
  }
  for (const cycle of cycles(graph)) found.push(`import cycle: ${cycle.join(' -> ')}`)
  return found
}

// Bundles the command line, the gateway and every library into one file that Node and Bun both run.
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { builtinModules, isBuiltin } from 'node:module'
import { build } from 'esbuild'

export const BUNDLE = 'dist/sallyport.mjs'

/**
 * Takes Node's own modules by `require`, at their first use. An `import` makes Node read every export of a module, and one
 * of node:http's loads its whole fetch client: 40 ms and 13 MB.
 * @type {import('esbuild').Plugin}
 */
const requireBuiltins = {
  name: 'require-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?[\w/]+$/ }, ({ path, kind }) => {
      const name = path.replace(/^node:/, '')
      return kind === 'import-statement' && builtinModules.includes(name)
        ? { path: name, namespace: 'builtin' }
        : undefined
    })
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require('node:${path}')`,
    }))
  },
}

/**
 * A library that asks whether another one happens to be there is told no. Left in the bundle, the question would be put to
 * the machine that runs it, and Bun answers by downloading whatever has that name today.
 * @type {import('esbuild').Plugin}
 */
const nothingFromOutside = {
  name: 'nothing-from-outside',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^supports-color$/ }, ({ path }) => ({ path, namespace: 'absent' }))
    onLoad({ filter: /./, namespace: 'absent' }, ({ path }) => ({
      contents: `throw new Error('${path} is not bundled')`,
    }))
  },
}

const CHAR_CODE_AT = 'const { charCodeAt } = String.prototype\n'

/**
 * Keeps the one method that loops over characters call a constant (docs/architecture.md, "Reading characters"): esbuild makes
 * a variable of each module's own, and V8 does not inline what a variable holds as well.
 * @type {import('esbuild').Plugin}
 */
const constantCharCodeAt = {
  name: 'constant-char-code-at',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      return text.includes(CHAR_CODE_AT) ? { contents: text.replace(CHAR_CODE_AT, '\n'), loader: 'ts' } : undefined
    })
  },
}

/**
 * The bundle with escapes for what esbuild leaves, which is in comments and regular expressions: one character beyond
 * ASCII, and the whole text takes two bytes a character in memory.
 * @type {(text: string) => string}
 */
function asciiOnly(text) {
  const escaped = text.replaceAll(
    /[^\0-\x7f]/g,
    unit => `\\u${(unit.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
  // Behind a backslash it would no longer be an escape.
  if (/(?<!\\)\\[^\0-\x7f]/.test(text)) throw new Error('a character beyond ASCII stands behind a backslash')
  return escaped
}

/**
 * Makes the bundle, and the source map beside it. The same sources and packages give the same bytes.
 *
 * @param {string} outfile
 * @returns what went into it, as esbuild says
 */
export async function bundle(outfile) {
  const { metafile } = await build({
    entryPoints: ['adapters/cli/main.ts'],
    outfile,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // Packages go by the place they have in the tree, wherever that leads: the same bytes on every machine.
    preserveSymlinks: true,
    external: ['bun', 'bun:*'],
    plugins: [requireBuiltins, nothingFromOutside, constantCharCodeAt],
    // Left readable: whoever trusts this file with their prompts must be able to read it, and a stack trace.
    minify: false,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'eof',
    // CommonJS libraries inside an ES module still call `require` for Node's own modules.
    banner: {
      js:
        "#!/usr/bin/env node\nimport { createRequire as sallyportRequire } from 'node:module'\nconst require = sallyportRequire(import.meta.url)\n" +
        CHAR_CODE_AT,
    },
  })
  const outside = (metafile.outputs[outfile]?.imports ?? [])
    .map(({ path }) => path)
    .filter(path => !isBuiltin(path) && path !== 'bun' && !path.startsWith('bun:'))
  if (outside.length > 0) throw new Error(`the bundle would load what is not in it: ${outside.join(', ')}`)
  await writeFile(outfile, asciiOnly(await readFile(outfile, 'utf8')))
  await chmod(outfile, 0o755)
  return metafile
}

if (import.meta.main) {
  const metafile = await bundle(BUNDLE)
  const { bytes } = metafile.outputs[BUNDLE] ?? { bytes: 0 }
  console.log(`${BUNDLE}: ${Math.round(bytes / 1024)} KiB from ${Object.keys(metafile.inputs).length} files`)
}

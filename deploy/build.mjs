// Bundles the command line, the gateway and every library into one file that Node and Bun both run.
import { chmod } from 'node:fs/promises'
import { build } from 'esbuild'

const outfile = 'dist/sallyport.mjs'

const { metafile } = await build({
  entryPoints: ['adapters/cli/main.ts'],
  outfile,
  bundle: true,
  metafile: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  external: ['bun', 'bun:*'],
  // Left readable: whoever trusts this file with their prompts must be able to read it, and a stack trace.
  minify: false,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'eof',
  // CommonJS libraries inside an ES module still call `require` for Node's own modules.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as sallyportRequire } from 'node:module'\nconst require = sallyportRequire(import.meta.url)",
  },
})
await chmod(outfile, 0o755)
console.log(
  `${outfile}: ${Math.round((metafile.outputs[outfile]?.bytes ?? 0) / 1024)} KiB from ${Object.keys(metafile.inputs).length} files`,
)

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runProcess } from '../../test/support/index.ts'

const FOLDER = import.meta.dirname
const PROGRAM = join(FOLDER, 'node_modules/@portkey-ai/gateway/build/start-server.js')
const INSTALL_DEADLINE_MS = 300_000

/** Installs Portkey's gateway into this folder, from a lockfile of its own, where it is missing. */
export async function installPortkey(): Promise<void> {
  if (existsSync(PROGRAM)) return
  const { code, stderr } = await runProcess('npm', ['ci', '--ignore-scripts', '--omit=dev'], {
    cwd: FOLDER,
    deadlineMs: INSTALL_DEADLINE_MS,
  })
  if (code !== 0) throw new Error(`Portkey's gateway could not be installed:\n${stderr.slice(-2000)}`)
}

export function portkeyCommand(port: number): readonly string[] {
  return [process.execPath, PROGRAM, `--port=${port}`, '--headless']
}

/** Tells Portkey where to forward to: it has no configuration of its own for that. */
export function portkeyHeaders(upstreamPort: number): readonly string[] {
  return [
    'authorization: Bearer none',
    'x-portkey-provider: openai',
    `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`,
  ]
}

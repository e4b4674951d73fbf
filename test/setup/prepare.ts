// Run before the tests: brings in what npm cannot (Redis, nginx, Prometheus, a real llama-server, small models). Quick when all is there.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { APT_LOCK, DEBS_DIR, LLAMA_DIR, MODELS, modelFile } from './cache.ts'

const INSTALL_DEADLINE_MS = 300_000

async function step(name: string, work: () => unknown): Promise<void> {
  const started = performance.now()
  try {
    await work()
  } catch (error) {
    throw new Error(`test set-up failed at "${name}"`, { cause: error })
  }
  console.log(`test set-up: ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

/** Runs a command, its output shown, and fails when it fails or takes too long. */
function run(command: string, ...args: string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env, timeout: INSTALL_DEADLINE_MS })
  child.on('error', reject)
  child.on('exit', (code, signal) =>
    code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')}: ${signal ?? `exit status ${code}`}`)),
  )
  return promise
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Of programs whose package has their name. */
async function install(...programs: readonly string[]): Promise<void> {
  const missing = programs.filter(program => !isInstalled(program)).join(' ')
  if (missing === '') return
  if (!isInstalled('apt-get') || process.getuid?.() !== 0)
    throw new Error(`${missing}: missing, and only root can install it: run \`apt-get install ${missing}\` first`)
  // One at a time, and with fresh package lists: a bare machine has none.
  const line = `apt-get -qq update && apt-get -qq install -y --no-install-recommends ${missing}`
  await run('flock', APT_LOCK, 'sh', '-c', line)
}

await step('redis-server, nginx, prometheus', () => install('redis-server', 'nginx', 'prometheus'))
await step('llama-server', () => run('sh', join(import.meta.dirname, 'install-llama-server.sh'), LLAMA_DIR, DEBS_DIR))
for (const [name, model] of Object.entries(MODELS)) await step(`model ${name}`, () => modelFile(model))

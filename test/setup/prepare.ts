// Run before the tests: brings in what the root's packages are not (Redis, proxies, Prometheus, nft, rsyslog, a real llama-server, small models, more
// runtimes). Quick when all is there.
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { APT_LOCK, DEBS_DIR, LLAMA_DIR, MODELS, modelFile } from './cache.ts'
import { installRuntimes } from './runtimes.ts'

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

/** Debian packages, each with what shows that it is there: a program, by its name or its path. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'redis-server': ['redis-server'],
  nginx: ['nginx'],
  haproxy: ['haproxy'],
  systemd: ['systemd-analyze'],
  iproute2: ['ip'],
  nftables: ['nft'],
  jq: ['jq'],
  prometheus: ['prometheus'],
  rsyslog: ['/usr/sbin/rsyslogd'],
  'rsyslog-openssl': ['x86_64', 'aarch64'].map(machine => `/usr/lib/${machine}-linux-gnu/rsyslog/lmnsd_ossl.so`),
}

async function install(): Promise<void> {
  const isThere = (sign: string) => (sign.startsWith('/') ? existsSync(sign) : isInstalled(sign))
  const missing = Object.keys(PACKAGES)
    .filter(name => !PACKAGES[name]?.some(isThere))
    .join(' ')
  if (missing === '') return
  if (!isInstalled('apt-get') || process.getuid?.() !== 0)
    throw new Error(`${missing}: missing, and only root can install it: run \`apt-get install ${missing}\` first`)
  // One at a time, and with fresh package lists: a bare machine has none.
  const line = `apt-get -qq update && apt-get -qq install -y --no-install-recommends ${missing}`
  await run('flock', APT_LOCK, 'sh', '-c', line)
}

await step(Object.keys(PACKAGES).join(', '), install)
await step('llama-server', () => run('sh', join(import.meta.dirname, 'install-llama-server.sh'), LLAMA_DIR, DEBS_DIR))
await step('Deno, Node 26', () => installRuntimes(folder => run('npm', 'ci', '--ignore-scripts', '--prefix', folder)))
for (const [name, model] of Object.entries(MODELS)) await step(`model ${name}`, () => modelFile(model))

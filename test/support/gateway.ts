import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { DENO, NODE_26 } from '../setup/runtimes.ts'
import { freePort, isListening } from './ports.ts'
import { type Completed, type Exit, runProcess, startProcess } from './process.ts'
import { tempDir } from './temp-dir.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const BUNDLE = join(ROOT, 'dist/sallyport.mjs')

export type Runtime = 'node' | 'bun' | 'deno' | 'node26'

/** The program, and the arguments in front of the bundle's name. */
const COMMAND: Record<Runtime, readonly [program: string, ...args: string[]]> = {
  node: [process.execPath],
  node26: [NODE_26],
  bun: [join(ROOT, 'node_modules/.bin/bun')],
  // As docs/operations.md has it: it may write below its own folder only, and start nothing.
  deno: [
    DENO,
    'run',
    '--no-prompt',
    '--allow-env',
    '--allow-net',
    '--allow-read',
    '--allow-write=.',
    '--allow-sys=hostname,uid,gid,ca',
  ],
}

/** The environment is the test's own: nothing that a developer has set in the shell reaches the gateway. */
const CLEAN = {
  NODE_OPTIONS: undefined,
  PORT: undefined,
  REDIS_URL: undefined,
  SALLYPORT_CONFIG: undefined,
  SALLYPORT_UPSTREAM_CLIENT: undefined,
  INFERENCE_TIMEOUT_MS: undefined,
  PROMPT_HMAC_SECRET: 'a secret for tests alone, 32 bytes or more',
}

interface CliOptions {
  readonly cwd: string
  readonly runtime?: Runtime
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Standard input. */
  readonly input?: string
}

function bundle(): string {
  if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is missing: npm run build`)
  return BUNDLE
}

/** Runs a command of the bundled `sallyport` to its end, whatever its exit status. */
export function sallyport(
  args: readonly string[],
  { cwd, runtime = 'node', env, input = '' }: CliOptions,
): Promise<Completed> {
  const [program, ...before] = COMMAND[runtime]
  return runProcess(program, [...before, bundle(), ...args], { cwd, env: { ...CLEAN, ...env }, input })
}

/** The standard output of a command that must succeed. */
export async function sallyportOutput(args: readonly string[], options: CliOptions): Promise<string> {
  const { code, stdout, stderr } = await sallyport(args, options)
  if (code !== 0) throw new Error(`sallyport ${args.join(' ')}: exit status ${code}\n${stderr}${stdout}`)
  return stdout.trim()
}

export interface TokenClaims {
  readonly team?: string
  readonly app?: string
  readonly env?: string
  readonly scope?: string
  readonly models?: string
  readonly ttl?: string
  readonly cert?: string
}

export interface GatewayOptions {
  readonly runtime?: Runtime
  /** Laid over a plain-HTTP gateway on free ports with embedded state, top-level key by top-level key. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** More arguments for `sallyport serve`. */
  readonly args?: readonly string[]
  /** The folder it runs in, with its configuration, keys and audit log; a new one unless given. Give it to start again. */
  readonly dir?: string
}

export interface Gateway extends AsyncDisposable {
  /** Without `/v1`. */
  readonly url: string
  readonly adminUrl: string
  readonly port: number
  readonly pid: number
  readonly dir: string
  readonly exited: Promise<Exit>
  /** A token that this gateway accepts. */
  mint(claims?: TokenClaims): Promise<string>
  output(): string
  signal(signal: NodeJS.Signals): void
  stop(signal?: NodeJS.Signals): Promise<Exit>
}

/** The bundled gateway as its own process, with signing keys of its own, accepting connections. */
export async function startGateway({
  runtime = 'node',
  config = {},
  env = {},
  args = [],
  dir = tempDir(),
}: GatewayOptions = {}): Promise<Gateway> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const keys = join(dir, 'keys')
  if (!existsSync(keys)) await sallyportOutput(['keys', 'init', '--dir', keys], { cwd: dir })

  const settings = {
    listen: { host: '127.0.0.1', port },
    tokens: { issuer: 'sallyport', audience: 'sallyport', jwks: 'keys/public.jwks.json' },
    audit: { file: 'audit/audit.jsonl', hmacSecret: '${env:PROMPT_HMAC_SECRET}' },
    ...config,
    admin: { listen: { host: '127.0.0.1', port: adminPort }, ...(config['admin'] as object | undefined) },
  }
  const file = join(dir, 'sallyport.yaml')
  writeFileSync(file, stringify(settings))

  const [program, ...before] = COMMAND[runtime]
  const server = await startProcess(program, [...before, bundle(), 'serve', '--config', file, ...args], {
    cwd: dir,
    env: { ...CLEAN, PORT: String(port), ...env },
    // A connection, not a request to /healthz: under mutual TLS the helper has no certificate.
    ready: () => isListening(port),
  })
  return {
    url: `${'tls' in settings ? 'https' : 'http'}://127.0.0.1:${port}`,
    adminUrl: `${'tls' in settings || 'tls' in settings.admin ? 'https' : 'http'}://127.0.0.1:${adminPort}`,
    port,
    pid: server.pid,
    dir,
    exited: server.exited,
    output: server.output,
    signal: server.signal,
    stop: server.stop,
    mint: (claims = {}) => {
      const all = {
        team: 'blue',
        app: 'tests',
        env: 'test',
        scope: 'inference',
        key: join(keys, 'signing.jwk.json'),
        ...claims,
      }
      const flags = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
      return sallyportOutput(['token', 'mint', ...flags], { cwd: dir })
    },
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
  }
}

import { randomBytes, randomUUID } from 'node:crypto'
import { access, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import type { Config } from '../../../src/config/config.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { createDemoModel, DEMO_MODEL } from '../../node/demo-model.ts'
import { reasonOf } from '../../node/error-code.ts'
import { type FoundModelServer, findModelServer } from '../../node/find-model-server.ts'
import { createTelemetry } from '../../node/telemetry.ts'
import { faultList } from '../config-faults.ts'
import { CommandFailure } from '../failure.ts'
import { issueToken, signToken, usablePrincipal } from '../issue-token.ts'
import { createKeyFiles, makeKeyFolder, PUBLIC_KEYS, SIGNING_KEY } from '../key-files.ts'
import { print, styled } from '../print.ts'
import { untilStopped } from '../stop-signal.ts'

const ISSUER = 'sallyport'
const TOKEN_LIFE_S = 24 * 60 * 60
/** Stands in the configuration for the model inside this process; nothing is ever sent there. */
const DEMO_URL = 'http://demo.invalid/v1'

interface DevOptions {
  readonly host: string
  readonly port: number
  readonly dir: string
}

/** `sallyport dev`: everything on defaults, nothing to configure. */
export function registerDev(program: Command): void {
  program
    .command('dev')
    .description(
      'run with everything on defaults: finds a local model server or brings a demo model, and prints a token',
    )
    .option('--port <number>', 'the port to listen on (also $PORT)', port, port(process.env.PORT || '8787'))
    .option('--host <address>', 'the address to listen on: plain HTTP, so loopback', '127.0.0.1')
    .option('--dir <folder>', 'where generated keys, the HMAC secret and the audit log are kept', '.sallyport')
    .action(dev)
}

async function dev({ host, port: listenPort, dir }: DevOptions): Promise<void> {
  const { runGateway } = await import('../run-gateway.ts')
  const folder = resolve(dir)
  const keys = join(folder, 'keys')
  await prepare(folder, keys)
  const found = await findModelServer()
  const models = found?.models ?? [DEMO_MODEL]
  const loaded = await loadConfig(JSON.stringify(configuration({ host, port: listenPort }, folder, keys, found)), {
    env: {},
    readFile: async () => ({ ok: false, reason: 'files are not included here' }),
    resolvePath: path => resolve(folder, path),
  })
  if (!loaded.ok) throw new CommandFailure(faultList('dev', loaded.faults))
  const telemetry = createTelemetry()
  const gateway = await runGateway({
    config: { ...loaded.config, audit: { ...loaded.config.audit, hmacSecret: await hmacSecret(folder) } },
    deployment: { name: 'sallyport dev', folder },
    telemetry,
    ...(found ? {} : { upstream: createDemoModel() }),
  })
  print(banner(gateway.url, folder, await mint(keys, loaded.config), models[0] ?? DEMO_MODEL, found))
  await untilStopped()
  await gateway.close()
}

/** What a production file would say, with the defaults of everything that is not about this machine. */
function configuration(
  listen: { host: string; port: number },
  folder: string,
  keys: string,
  found: FoundModelServer | undefined,
): object {
  const upstreams = [{ url: found?.url ?? DEMO_URL, kind: found?.kind ?? 'openai' }]
  return {
    listen,
    state: `embedded:${join(folder, 'sallyport.db')}`,
    tokens: { issuer: ISSUER, audience: ISSUER, jwks: join(keys, PUBLIC_KEYS) },
    models: (found?.models ?? [DEMO_MODEL]).map(id => ({ id, upstreams })),
    quotas: [
      { name: 'team-minute', per: ['team'], tokens: '100k', window: '1m' },
      { name: 'key-rate', per: ['token'], requests: 60, window: '60s' },
    ],
    audit: { file: join(folder, 'audit', 'audit.jsonl'), hmacSecret: PLACEHOLDER_SECRET },
  }
}

/** The generated secret takes its place once the configuration is checked: it may hold what YAML would interpret. */
const PLACEHOLDER_SECRET = 'replaced-by-the-generated-secret-of-this-folder'

async function prepare(folder: string, keys: string): Promise<void> {
  await makeKeyFolder(folder)
  await makeKeyFolder(keys)
  try {
    await access(join(keys, SIGNING_KEY))
  } catch {
    await createKeyFiles(keys, 'EdDSA', false)
  }
}

async function hmacSecret(folder: string): Promise<string> {
  const path = join(folder, 'hmac-secret')
  try {
    await writeFile(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  } catch {
    // It is there from an earlier run; if not, reading it will say why.
  }
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    throw new CommandFailure(`${path}: ${reasonOf(error)}`)
  }
}

async function mint(keys: string, { tokens, state }: Config): Promise<string> {
  const make = async () => {
    const now = Math.floor(Date.now() / 1000)
    const owner = { team: 'dev', app: 'dev', env: 'dev', scope: 'inference' }
    const life = { iat: now, nbf: now, exp: now + TOKEN_LIFE_S }
    const claims = { iss: ISSUER, aud: ISSUER, sub: 'dev/dev/dev', jti: randomUUID(), ...life, ...owner }
    const principal = usablePrincipal(claims, tokens, now * 1000)
    return { token: await signToken(claims, join(keys, SIGNING_KEY)), principal }
  }
  return (await issueToken(make, state)).token
}

function banner(
  url: string,
  folder: string,
  token: string,
  model: string,
  found: FoundModelServer | undefined,
): string {
  const bold = (text: string) => styled('bold', text, process.stdout)
  const source = found
    ? `${found.kind} at ${found.url} (${found.models.join(', ')})`
    : 'none found on ports 8080, 8000 and 11434: a scripted model named demo answers, inside this process'
  const body = JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Who are you?' }] })
  return `
${bold('Sallyport')} listens on ${bold(`${url}/v1`)}

  model server   ${source}
  state          embedded; keys, secret and audit log in ${folder}
  token          valid for 24 hours:

${token}

Stream an answer:

curl -N ${url}/v1/chat/completions \\
  -H 'authorization: Bearer ${token}' \\
  -H 'content-type: application/json' \\
  -d '${body}'
`
}

function port(value: string): number {
  const number = Number(value)
  if (/^\d{1,5}$/.test(value) && number <= 65_535) return number
  throw new InvalidArgumentError('Use a port number from 0 to 65535.')
}

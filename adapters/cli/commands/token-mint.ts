import { randomUUID } from 'node:crypto'
import { type Command, InvalidArgumentError } from 'commander'
import { parseLimit, parseLimits } from '../../../src/auth/claimed-limits.ts'
import { isClaimName, parseModels, parseScope } from '../../../src/auth/token-profile.ts'
import { embeddedFile } from '../../../src/config/config.ts'
import { MAX_TOKEN_CHARACTERS, MAX_TOKEN_LIFETIME_MS } from '../../../src/config/limits.ts'
import { formatQuantity, parseQuantity, QUANTITY_HINTS } from '../../../src/config/units.ts'
import { CHARGE_KINDS, type ClaimedLimits } from '../../../src/quota/limit.ts'
import { describeCertificate } from '../../node/certificates.ts'
import { type ConfigLocation, locateConfig, readTokensConfig } from '../../node/config-file.ts'
import { readCertificate } from '../certs/cert-folder.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { issueToken, type SignedToken, signToken, usablePrincipal } from '../issue-token.ts'
import { SIGNING_KEY } from '../key-files.ts'
import { locateState } from '../open-registry.ts'
import { note, print, printJson } from '../print.ts'

/** `sallyport token mint`: prints the token alone, so that a shell can take it. */
export function registerTokenMint(token: Command): void {
  token
    .command('mint')
    .description('make a service token and print it')
    .requiredOption('--team <name>', 'the team it belongs to', claimName)
    .requiredOption('--app <name>', 'the application that uses it', claimName)
    .requiredOption('--env <name>', 'the environment it is for', claimName)
    .option('--scope <scopes>', 'what it may do, separated by spaces', scope, 'inference')
    .option(
      '--models <globs>',
      'the models it may use, separated by commas; * stands for anything (default: all)',
      models,
    )
    .option(
      '--limit <quota.counts=n>',
      'a limit of its own, as far as the quota lets tokens set one: key-rate.requests=60 (can be repeated)',
      limits,
    )
    .option('--priority <class>', 'the priority class it asks for, one of admission.priorities', claimName)
    .option('--ttl <duration>', 'how long it lives, at most 90d', lifetime, MAX_TOKEN_LIFETIME_MS)
    .option('--cert <file>', 'bind it to this client certificate: of no use to anybody without its key')
    .option('--key <file>', 'the private signing key', `keys/${SIGNING_KEY}`)
    .option('--subject <text>', 'whom it stands for (default: TEAM/APP/ENV)')
    .option('--issuer <text>', 'in place of the configuration’s tokens.issuer')
    .option('--audience <text>', 'in place of the configuration’s tokens.audience')
    .option('--config <file>', 'the configuration, for issuer, audience, longest life and where the state is')
    .option('--state <place>', 'in place of the configuration’s state')
    .option('--no-register', 'do not record the token where the gateway’s state is')
    .option('--json', 'print the token with its id and end as JSON')
    .action(mint)
}

interface MintOptions {
  readonly team: string
  readonly app: string
  readonly env: string
  readonly scope: string
  readonly models?: readonly string[]
  readonly limit?: ClaimedLimits
  readonly priority?: string
  readonly ttl: number
  readonly cert?: string
  readonly key: string
  readonly subject?: string
  readonly issuer?: string
  readonly audience?: string
  readonly config?: string
  readonly state?: string
  readonly register: boolean
  readonly json?: true
}

async function mint(options: MintOptions): Promise<void> {
  const location = await locateConfig(options.config, process.env, process.cwd())
  const configured = await readTokensConfig(location, process.env)
  if (!configured.ok) throw new CommandFailure(faultList(nameOf(location), configured.faults))
  const profile = {
    issuer: options.issuer ?? configured.tokens.issuer,
    audience: options.audience ?? configured.tokens.audience,
    maxLifetimeMs: configured.tokens.maxLifetimeMs,
  }
  if (options.ttl > profile.maxLifetimeMs) {
    const longest = formatQuantity('duration', profile.maxLifetimeMs)
    throw new UsageError(`--ttl is longer than the ${longest} that tokens.maxLifetime allows`)
  }
  const { team, app, env, scope, models: globs, priority } = options
  if (configured.tokens.requireBound && options.cert === undefined) {
    note('warning: the gateway will refuse this token: tokens.requireBound needs --cert')
  }
  const certThumbprint = options.cert === undefined ? undefined : await thumbprintOf(options.cert)
  const tokenId = randomUUID()
  const make = async () => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: profile.issuer,
      aud: profile.audience,
      sub: options.subject ?? `${team}/${app}/${env}`,
      jti: tokenId,
      iat: now,
      nbf: now,
      exp: now + Math.floor(options.ttl / 1000),
      team,
      app,
      env,
      scope,
      ...(globs !== undefined && { models: globs }),
      ...(options.limit !== undefined && { limits: options.limit }),
      ...(certThumbprint !== undefined && { cnf: { 'x5t#S256': certThumbprint } }),
      ...(priority !== undefined && { priority }),
    }
    const principal = usablePrincipal(claims, profile, now * 1000)
    const token = await signToken(claims, options.key)
    if (token.length > MAX_TOKEN_CHARACTERS) throw new UsageError('the token would be too long: name fewer models')
    return { token, principal }
  }
  const { token, principal } = await registered(make, options, location)
  if (options.json) printJson({ token, tokenId, expires: new Date(principal.expiresAtMs).toISOString() })
  else print(token)
}

/** The thumbprint of a certificate that callers can show. */
async function thumbprintOf(path: string): Promise<string> {
  const certificate = await readCertificate(path)
  if (certificate.ca) throw new UsageError(`--cert: ${path} is the certificate of an authority, which no caller shows`)
  return describeCertificate(certificate).thumbprint
}

/** Makes a token and records it, where it is known in which registry. One that cannot be recorded is not given out. */
async function registered(
  make: () => Promise<SignedToken>,
  { register, state }: MintOptions,
  location: ConfigLocation,
): Promise<SignedToken> {
  if (!register) return make()
  const place = await locateState(state, location)
  if (state === undefined && location.path === undefined && embeddedFile(place) !== undefined) {
    note('note: there is no configuration, so the token is in no registry: token list will not show it')
    return make()
  }
  return issueToken(make, place)
}

function claimName(value: string): string {
  if (isClaimName(value)) return value
  throw new InvalidArgumentError('Use up to 64 letters, digits, dots, underscores and hyphens.')
}

function scope(value: string): string {
  if (parseScope(value) !== undefined) return value
  throw new InvalidArgumentError('Use scopes separated by single spaces.')
}

function limits(value: string, before: ClaimedLimits = {}): ClaimedLimits {
  const [[name, counts] = ['', undefined]] = Object.entries(parseLimit(value) ?? {})
  const all = parseLimits({ ...before, [name]: { ...before[name], ...counts } })
  if (counts !== undefined && all !== undefined) return all
  throw new InvalidArgumentError(
    `Use QUOTA.COUNTS=N, such as key-rate.requests=60; it counts ${CHARGE_KINDS.join(', ')}.`,
  )
}

function models(value: string): readonly string[] {
  const globs = parseModels(value.split(',').map(glob => glob.trim()))
  if (globs !== undefined) return globs
  throw new InvalidArgumentError('Use up to 64 model ids separated by commas.')
}

function lifetime(value: string): number {
  const ms = parseQuantity('duration', value)
  if (ms === undefined) throw new InvalidArgumentError(`Use ${QUANTITY_HINTS.duration}.`)
  if (ms < 1000 || ms > MAX_TOKEN_LIFETIME_MS) throw new InvalidArgumentError('A token lives from 1s to 90d.')
  return ms
}

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose'
import type { Principal } from '../../../src/auth/principal.ts'
import { isTokenRefusal, type TokenVerdict } from '../../../src/auth/verify-token.ts'
import { MAX_TOKEN_CHARACTERS } from '../../../src/config/limits.ts'
import { locateConfig, readTokensConfig } from '../../node/config-file.ts'
import { checkToken } from '../check-token.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure } from '../failure.ts'
import { print, printJson, printTable, styled } from '../print.ts'
import { readStdin } from '../stdin.ts'

/** `sallyport token inspect`: what a token says, and whether the gateway would take it. */
export function registerTokenInspect(token: Command): void {
  token
    .command('inspect')
    .description('show what a token says; with keys, also whether it is valid (exit code 1 if not)')
    .argument('[token]', 'the token; - or nothing reads it from standard input, where no process list shows it', '-')
    .option('--config <file>', 'check it as a gateway with this configuration would')
    .option('--jwks <file>', 'check it against these public keys')
    .option('--json', 'print JSON')
    .action(inspect)
}

interface InspectOptions {
  readonly config?: string
  readonly jwks?: string
  readonly json?: true
}

async function inspect(argument: string, options: InspectOptions): Promise<void> {
  const token = (argument === '-' ? await readStdin(MAX_TOKEN_CHARACTERS + 1) : argument).trim()
  const { header, claims } = decode(token)
  const verdict = options.config === undefined && options.jwks === undefined ? undefined : await verify(token, options)
  const refusal = verdict !== undefined && isTokenRefusal(verdict) ? verdict : undefined
  const identity = verdict !== undefined && !isTokenRefusal(verdict) ? identityOf(verdict) : undefined
  const checked = verdict !== undefined
  if (options.json) {
    printJson({ header, claims, checked, valid: verdict && refusal === undefined, refusal, identity })
  } else {
    printTable(Object.entries({ ...header, ...claims }).map(([name, value]) => [name, display(name, value)]))
    const state =
      refusal === undefined ? styled('green', 'valid', process.stdout) : styled('red', 'refused', process.stdout)
    print(verdict === undefined ? 'Not checked: give --config or --jwks.' : `The gateway's verdict: ${state}`)
    if (identity !== undefined) {
      print('It takes the bearer for:')
      printTable(Object.entries(identity).map(([name, value]) => [name, display(name, value)]))
    }
  }
  if (refusal !== undefined) {
    throw new CommandFailure(
      `the token is refused: ${refusal.reason}${'claim' in refusal ? ` (${refusal.claim})` : ''}`,
    )
  }
}

function decode(token: string): { header: Record<string, unknown>; claims: JWTPayload } {
  if (token.length > MAX_TOKEN_CHARACTERS) throw new CommandFailure('the token is too long to be one')
  try {
    return { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) }
  } catch {
    throw new CommandFailure('this is no JSON Web Token')
  }
}

async function verify(token: string, { config, jwks }: InspectOptions): Promise<TokenVerdict> {
  const location = await locateConfig(config, process.env, process.cwd())
  const configured = await readTokensConfig(location, process.env)
  if (!configured.ok) throw new CommandFailure(faultList(nameOf(location), configured.faults))
  const { tokens } = configured
  return checkToken(token, jwks === undefined ? tokens : { ...tokens, jwks: resolve(jwks) })
}

/** Who the gateway takes the bearer for: what rules, limits and records go by. */
function identityOf({ issuer, tokenId, subject, team, app, env, scopes, models }: Principal) {
  return { issuer, tokenId, subject, team, app, env, scopes: [...scopes], models }
}

/** JSON, so that control characters of a stranger's token do not reach the terminal; dates in words too. */
function display(name: string, value: unknown): string {
  const isDate = ['exp', 'nbf', 'iat'].includes(name) && typeof value === 'number' && Math.abs(value) < 1e11
  if (isDate) return `${value} (${new Date(value * 1000).toISOString()})`
  const text = typeof value === 'string' && /^[\x20-\x7e]*$/.test(value) ? value : JSON.stringify(value)
  return text.replaceAll(/[^\x20-\x7e]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

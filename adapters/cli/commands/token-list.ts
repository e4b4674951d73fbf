import { type Command, InvalidArgumentError } from 'commander'
import { RevocationList } from '../../../src/auth/revocation-list.ts'
import { MAX_LISTED_TOKENS } from '../../../src/config/limits.ts'
import { parseQuantity, QUANTITY_HINTS } from '../../../src/config/units.ts'
import type { IssuedToken } from '../../../src/ports/token-registry.ts'
import { locateConfig } from '../../node/config-file.ts'
import { locateState, withRegistry } from '../open-registry.ts'
import { note, printJson, printTable } from '../print.ts'

/** `sallyport token list`: what was issued and has not expired; never a token. */
export function registerTokenList(token: Command): void {
  token
    .command('list')
    .description('list the tokens that were issued and have not expired, by expiry; never the tokens themselves')
    .option('--team <name>', 'only those of this team')
    .option('--app <name>', 'only those of this application')
    .option('--env <name>', 'only those of this environment')
    .option('--expiring <duration>', 'only those that expire within this time, such as 7d', duration)
    .option('--config <file>', 'the configuration of the gateway, for where its state is')
    .option('--state <place>', 'in place of the configuration’s state')
    .option('--json', 'print JSON')
    .action(list)
}

interface ListOptions {
  readonly team?: string
  readonly app?: string
  readonly env?: string
  readonly expiring?: number
  readonly config?: string
  readonly state?: string
  readonly json?: true
}

async function list({ team, app, env, expiring, config, state, json }: ListOptions): Promise<void> {
  const location = await locateConfig(config, process.env, process.cwd())
  const filter = {
    ...(team !== undefined && { team }),
    ...(app !== undefined && { app }),
    ...(env !== undefined && { env }),
    ...(expiring !== undefined && { expiresBeforeMs: Date.now() + expiring }),
  }
  const place = await locateState(state, location)
  const rows = await withRegistry(place, { create: false }, async registry => {
    const revoked = new RevocationList()
    revoked.add((await registry.revocations()).revocations, Date.now())
    const tokens = await registry.list(filter, MAX_LISTED_TOKENS)
    return tokens.map(token => ({ ...forPeople(token), revoked: revoked.isRevoked(token) }))
  })
  if (rows.length === MAX_LISTED_TOKENS)
    note(`note: these are the first ${MAX_LISTED_TOKENS}; name a team or application`)
  if (json) return printJson(rows)
  printTable([
    ['ID', 'TEAM', 'APP', 'ENV', 'SCOPE', 'ISSUED', 'EXPIRES', 'STATUS'],
    ...rows.map(row => [
      row.tokenId,
      row.team,
      row.app,
      row.env,
      row.scopes.join(' '),
      row.issued,
      row.expires,
      row.revoked ? 'revoked' : 'valid',
    ]),
  ])
}

/** Times as ISO 8601, as in all output. */
function forPeople({ issuedAtMs, expiresAtMs, ...rest }: IssuedToken) {
  return { ...rest, issued: new Date(issuedAtMs).toISOString(), expires: new Date(expiresAtMs).toISOString() }
}

function duration(value: string): number {
  const ms = parseQuantity('duration', value)
  if (ms === undefined) throw new InvalidArgumentError(`Use ${QUANTITY_HINTS.duration}.`)
  return ms
}

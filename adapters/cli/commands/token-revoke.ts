import type { Command } from 'commander'
import { createRevocation } from '../../../src/auth/revocation.ts'
import { isClaimName } from '../../../src/auth/token-profile.ts'
import { MAX_REASON_CHARACTERS, MAX_REVOCATIONS } from '../../../src/config/limits.ts'
import type { RevocationTarget } from '../../../src/ports/token-registry.ts'
import { locateConfig } from '../../node/config-file.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { locateState, withRegistry } from '../open-registry.ts'
import { note, print, printJson } from '../print.ts'

/** `sallyport token revoke`: one token, or everything of an application, a team or all that was issued up to now. */
export function registerTokenRevoke(token: Command): void {
  token
    .command('revoke')
    .description('revoke a token by its id, or all tokens of an application, of a team, or at all')
    .argument('[id]', 'the id (jti) of one token')
    .option('--app <name>', 'all tokens of this application, in any team or in that of --team')
    .option('--team <name>', 'all tokens of this team')
    .option('--all', 'all tokens there are')
    .option('--issued-before <time>', 'only tokens issued up to this time, such as 2026-11-24T09:00:00Z (default: now)')
    .option('--reason <text>', 'why, for the record')
    .option('--config <file>', 'the configuration of the gateway, for where its state is')
    .option('--state <place>', 'in place of the configuration’s state')
    .option('--json', 'print the revocation as JSON')
    .action(revoke)
}

interface RevokeOptions {
  readonly app?: string
  readonly team?: string
  readonly all?: true
  readonly issuedBefore?: string
  readonly reason?: string
  readonly config?: string
  readonly state?: string
  readonly json?: true
}

async function revoke(id: string | undefined, options: RevokeOptions): Promise<void> {
  const target = targetOf(id, options)
  const nowMs = Date.now()
  const { issuedBefore, reason } = options
  if (reason !== undefined && (reason.length > MAX_REASON_CHARACTERS || /\p{Cc}/u.test(reason))) {
    throw new UsageError(`--reason: up to ${MAX_REASON_CHARACTERS} characters on one line`)
  }
  if (issuedBefore !== undefined && target.kind === 'token') {
    throw new UsageError(
      '--issued-before goes with --app, --team or --all: a token that is named is revoked in any case',
    )
  }
  const issuedBeforeMs = issuedBefore === undefined ? nowMs : moment(issuedBefore, nowMs)
  const location = await locateConfig(options.config, process.env, process.cwd())
  const state = await locateState(options.state, location)
  const { revocation, known } = await withRegistry(state, { create: false }, async registry => {
    const issued = target.kind === 'token' ? await registry.find(target.tokenId) : undefined
    const made = createRevocation({
      target,
      nowMs,
      issuedBeforeMs,
      by: 'cli',
      ...(reason !== undefined && { reason }),
      ...(issued && { token: issued }),
    })
    if ((await registry.revoke(made)) === 'full') {
      throw new CommandFailure(
        `${MAX_REVOCATIONS} tokens are revoked already, as many as there may be: revoke by --app, --team or --all`,
      )
    }
    return { revocation: made, known: target.kind !== 'token' || issued !== undefined }
  })
  if (!known) note('note: no token of this id is in the registry; it is revoked all the same')
  if (options.json) printJson(forPeople(revocation))
  else print(`revoked: ${sentence(target, new Date(issuedBeforeMs).toISOString())}`)
}

function targetOf(id: string | undefined, { app, team, all }: RevokeOptions): RevocationTarget {
  const ways = [id !== undefined, app !== undefined || team !== undefined, all === true].filter(Boolean).length
  if (ways !== 1) throw new UsageError('give one of: a token id, --app (with or without --team), --team, --all')
  for (const [flag, value] of Object.entries({ '--app': app, '--team': team })) {
    if (value !== undefined && !isClaimName(value)) {
      throw new UsageError(`${flag}: up to 64 letters, digits, dots, underscores and hyphens`)
    }
  }
  if (id !== undefined) {
    // What was given may be the token itself: it is not repeated.
    if (!isClaimName(id)) throw new UsageError('this is no token id: sallyport token inspect shows it, as jti')
    return { kind: 'token', tokenId: id }
  }
  if (app !== undefined) return { kind: 'app', app, ...(team !== undefined && { team }) }
  return team === undefined ? { kind: 'all' } : { kind: 'team', team }
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/

function moment(text: string, nowMs: number): number {
  const ms = ISO_TIME.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    throw new UsageError('--issued-before: a time with its zone, such as 2026-11-24T09:00:00Z, or a day (UTC)')
  }
  if (ms > nowMs) throw new UsageError('--issued-before: lies in the future; tokens of the future cannot be revoked')
  return ms
}

function sentence(target: RevocationTarget, time: string): string {
  switch (target.kind) {
    case 'token':
      return `token ${target.tokenId}`
    case 'app':
      return `all tokens of application ${target.app}${target.team === undefined ? '' : ` of team ${target.team}`} issued up to ${time}`
    case 'team':
      return `all tokens of team ${target.team} issued up to ${time}`
    case 'all':
      return `all tokens issued up to ${time}`
  }
}

/** Times as ISO 8601, as in all output. */
function forPeople({ issuedBeforeMs, untilMs, createdAtMs, ...rest }: ReturnType<typeof createRevocation>) {
  const iso = (ms: number) => new Date(ms).toISOString()
  return { ...rest, issuedBefore: iso(issuedBeforeMs), created: iso(createdAtMs), until: iso(untilMs) }
}

import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import type { TokenAlgorithm } from '../../../src/config/config.ts'
import { CommandFailure } from '../failure.ts'
import { AUDIT_KEY, createKeyFiles, isOpenToOthers, makeKeyFolder, PUBLIC_KEYS, SIGNING_KEY } from '../key-files.ts'
import { note, print, printJson, printTable } from '../print.ts'
import { type PublicKey, pruneKeys, readPublicKeys, rotateKeys } from '../rotate-keys.ts'

const ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const

/** `sallyport keys`: init, rotate, list. */
export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('make, replace and list signing keys')

  keys
    .command('init')
    .description('make a signing key for tokens and one for the audit log')
    .option('--dir <folder>', 'where keys are kept', 'keys')
    .addOption(new Option('--alg <algorithm>', 'of the signing key').choices(ALGORITHMS).default('EdDSA'))
    .option('--force', 'replace the keys that are there; tokens made with them are then refused')
    .option('--json', 'print the result as JSON')
    .action(init)

  keys
    .command('rotate')
    .description('make a new signing key; the old one is accepted until its last token has expired')
    .option('--dir <folder>', 'where keys are kept', 'keys')
    .addOption(new Option('--alg <algorithm>', 'of the new key (default: as before)').choices(ALGORITHMS))
    .option('--discard-old', 'the old key was stolen: refuse its tokens from now on')
    .option('--json', 'print the result as JSON')
    .action(rotate)

  keys
    .command('list')
    .description('list the public keys that tokens are checked with')
    .option('--dir <folder>', 'where keys are kept', 'keys')
    .option('--prune', 'first take out the old keys whose last token has expired')
    .option('--json', 'print JSON')
    .action(list)
}

interface InitOptions {
  readonly dir: string
  readonly alg: TokenAlgorithm
  readonly force?: boolean
  readonly json?: true
}

async function init({ dir, alg, force = false, json }: InitOptions): Promise<void> {
  const path = (name: string) => join(dir, name)
  const taken = force ? [] : await present([SIGNING_KEY, PUBLIC_KEYS, AUDIT_KEY].map(path))
  if (taken.length > 0) {
    throw new CommandFailure(`${taken.join(', ')}: already there, and left as it is (--force replaces it)`)
  }
  await makeKeyFolder(dir)
  if (await isOpenToOthers(dir)) note(`warning: ${dir} is open to others; chmod 700 closes it`)
  const kid = await createKeyFiles(dir, alg, force)
  const files = { signing: path(SIGNING_KEY), public: path(PUBLIC_KEYS), audit: path(AUDIT_KEY) }
  if (json) {
    printJson({ kid, alg, files })
    return
  }
  print(`${files.signing}  private, signs tokens: keep it off the gateway`)
  print(`${files.public}  public, tokens are checked with it (tokens.jwks)`)
  print(`${files.audit}  private, signs the audit log`)
  print(`kid ${kid}`)
}

async function present(paths: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of paths) {
    try {
      await access(path)
      found.push(path)
    } catch {
      // Not there, or not for us to see: writing it will tell.
    }
  }
  return found
}

interface RotateCommandOptions {
  readonly dir: string
  readonly alg?: TokenAlgorithm
  readonly discardOld?: true
  readonly json?: true
}

async function rotate({ dir, alg, discardOld, json }: RotateCommandOptions): Promise<void> {
  const rotation = await rotateKeys(dir, { ...(alg && { alg }), discard: discardOld === true, nowMs: Date.now() })
  const { kid, replaced, acceptedUntil, removed } = rotation
  const until = acceptedUntil === undefined ? null : isoSeconds(acceptedUntil)
  if (json) return printJson({ kid, replaced, replacedAcceptedUntil: until, removed })
  print(`kid ${kid}  signs from now on`)
  print(`kid ${replaced}  ${until === null ? 'is refused from now on' : `is accepted until ${until}`}`)
  for (const old of removed) print(`kid ${old}  was taken out: its last token has expired`)
  note(`${join(dir, PUBLIC_KEYS)} has to reach every gateway before the first new token does`)
}

interface ListOptions {
  readonly dir: string
  readonly prune?: true
  readonly json?: true
}

async function list({ dir, prune, json }: ListOptions): Promise<void> {
  const keys = prune ? await pruneKeys(dir, Date.now()) : await readPublicKeys(dir)
  const rows = keys.map(describe)
  if (json) return printJson(rows)
  printTable([
    ['KID', 'ALG', 'CREATED', 'ACCEPTED UNTIL'],
    ...rows.map(row => [row.kid, row.alg, row.created ?? 'unknown', row.acceptedUntil ?? '']),
  ])
}

/** Named parts only: nothing else of a key is ever printed. `acceptedUntil` is null for one that may still sign. */
function describe(key: PublicKey): { kid: string; alg: string; created: string | null; acceptedUntil: string | null } {
  const text = (value: unknown) => (typeof value === 'string' ? value : 'unknown')
  return {
    kid: text(key.kid),
    alg: text(key['alg']),
    created: isoSeconds(key['iat']),
    acceptedUntil: isoSeconds(key.exp),
  }
}

function isoSeconds(value: unknown): string | null {
  return typeof value === 'number' && Math.abs(value) < 1e11 ? new Date(value * 1000).toISOString() : null
}

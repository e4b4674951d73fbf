import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import type { TokenAlgorithm } from '../../../src/config/config.ts'
import { CommandFailure } from '../failure.ts'
import {
  AUDIT_KEY,
  createKeyFiles,
  isOpenToOthers,
  makeKeyFolder,
  PUBLIC_KEYS,
  readKeyFile,
  SIGNING_KEY,
} from '../key-files.ts'
import { note, print, printJson, printTable } from '../print.ts'

/** `sallyport keys`: init, list. */
export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('make and list signing keys')

  keys
    .command('init')
    .description('make a signing key for tokens and one for the audit log')
    .option('--dir <folder>', 'where keys are kept', 'keys')
    .addOption(
      new Option('--alg <algorithm>', 'of the signing key').choices(['EdDSA', 'ES256', 'RS256']).default('EdDSA'),
    )
    .option('--force', 'replace the keys that are there; tokens made with them are then refused')
    .option('--json', 'print the result as JSON')
    .action(init)

  keys
    .command('list')
    .description('list the public keys that tokens are checked with')
    .option('--dir <folder>', 'where keys are kept', 'keys')
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

async function list({ dir, json }: { readonly dir: string; readonly json?: true }): Promise<void> {
  const path = join(dir, PUBLIC_KEYS)
  const content = await readKeyFile(path)
  const keys = typeof content === 'object' && content !== null && 'keys' in content ? content.keys : undefined
  if (!Array.isArray(keys)) throw new CommandFailure(`${path} is no JWK Set`)
  const rows = keys.map(describe)
  if (json) printJson(rows)
  else printTable([['KID', 'ALG', 'CREATED'], ...rows.map(row => [row.kid, row.alg, row.created ?? 'unknown'])])
}

/** Named parts only: nothing else of a key is ever printed. */
function describe(key: unknown): { kid: string; alg: string; created: string | null } {
  const read = (name: string): unknown =>
    typeof key === 'object' && key !== null ? (key as Record<string, unknown>)[name] : undefined
  const text = (value: unknown) => (typeof value === 'string' ? value : 'unknown')
  const iat = read('iat')
  const created = typeof iat === 'number' && Math.abs(iat) < 1e11 ? new Date(iat * 1000).toISOString() : null
  return { kid: text(read('kid')), alg: text(read('alg')), created }
}

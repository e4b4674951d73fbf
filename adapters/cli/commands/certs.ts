import { join } from 'node:path'
import type { Command } from 'commander'
import { statOf } from '../../node/durable-file.ts'
import { namesOf, parseAlternativeNames } from '../certs/alternative-names.ts'
import { AUTHORITY, keyNameOf, listFolder, REVOKED, readSigner, SERVER, writePair } from '../certs/cert-folder.ts'
import { type AlternativeName, makeAuthority, makeLeaf } from '../certs/make-certificate.ts'
import { commonName, type FolderOptions, fileName, serverName, wholeDays, withFolder } from '../certs/options.ts'
import { describe, report, reportJson } from '../certs/report.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { isOpenToOthers, makeKeyFolder } from '../key-files.ts'
import { note, printJson, printTable } from '../print.ts'
import { registerCertsRenew } from './certs-renew.ts'
import { registerCertsRevoke } from './certs-revoke.ts'

const AUTHORITY_DAYS = 3650
const LEAF_DAYS = 90

/** `sallyport certs`: an authority of one's own. */
export function registerCerts(program: Command): void {
  const certs = program.command('certs').description('make certificates for servers and callers: an internal CA')

  withFolder(certs.command('init'))
    .description('make the authority that signs all others')
    .option('--name <text>', 'what it is called', commonName, 'Sallyport internal CA')
    .option('--days <n>', 'how long it is good', wholeDays, AUTHORITY_DAYS)
    .option('--force', 'replace the one that is there; what it has signed is then refused')
    .action(init)

  withFolder(certs.command('issue'))
    .description('make a certificate for a server or for a caller')
    .option('--server <name>', 'the host that callers connect to: server.pem', serverName)
    .option('--client <name>', 'the service that calls: client-NAME.pem', fileName)
    .option('--out <name>', 'another name for the file, without .pem', fileName)
    .option(
      '--san <names>',
      'more names: dns:host, ip:address, uri:…, email:…, separated by commas',
      parseAlternativeNames,
    )
    .option('--days <n>', 'how long it is good', wholeDays, LEAF_DAYS)
    .option('--force', 'replace the one that is there')
    .action(issue)

  registerCertsRenew(certs)

  withFolder(certs.command('list')).description('list certificates, and when they end').action(list)

  registerCertsRevoke(certs)
}

interface InitOptions extends FolderOptions {
  readonly name: string
  readonly days: number
  readonly force?: true
}

async function init({ dir, name, days, force, json }: InitOptions): Promise<void> {
  const path = join(dir, AUTHORITY)
  await refuseToReplace(path, force)
  await makeKeyFolder(dir)
  if (await isOpenToOthers(dir)) note(`warning: ${dir} is open to others; chmod 700 closes it`)
  const list = join(dir, REVOKED)
  if (force && (await statOf(list))) {
    throw new CommandFailure(
      `${list}: the list of the authority that is there; move it away before another takes its place`,
    )
  }
  const made = makeAuthority(name, days, Date.now())
  await writePair(path, made, force === true)
  if (json) return reportJson({ path, made })
  report([{ path, made }])
  note(`keep ${keyNameOf(path)} off the gateway: it signs, and nothing there needs it`)
}

interface IssueOptions extends FolderOptions {
  readonly server?: string
  readonly client?: string
  readonly out?: string
  readonly san?: readonly AlternativeName[]
  readonly days: number
  readonly force?: true
}

async function issue({ dir, server, client, out, san = [], days, force, json }: IssueOptions): Promise<void> {
  const name = server ?? client
  if (name === undefined || (server !== undefined && client !== undefined)) {
    throw new UsageError('give one of --server and --client')
  }
  const use = server === undefined ? 'client' : 'server'
  const file = out === undefined ? (use === 'server' ? SERVER : `client-${name}.pem`) : `${out}.pem`
  if (file === AUTHORITY || file === REVOKED) throw new UsageError(`--out: ${file} is taken`)
  const path = join(dir, file)
  await refuseToReplace(path, force)
  const signer = await readSigner(dir)
  const made = makeLeaf({ name, use, names: namesOf(name, use, san) }, signer, days, Date.now())
  await writePair(path, made, force === true)
  if (made.certificate.validTo === signer.certificate.validTo) note('it ends with its authority')
  if (json) reportJson({ path, made })
  else report([{ path, made }])
}

async function list({ dir, json }: FolderOptions): Promise<void> {
  const rows = (await listFolder(dir)).map(describe)
  if (json) return printJson(rows)
  const cells = rows.map(({ file, use, subject, names, serial, expires, state }) => [
    file,
    use,
    subject,
    names.join(' '),
    serial,
    `${expires.slice(0, 10)} (${state})`,
  ])
  printTable([['FILE', 'USE', 'SUBJECT', 'NAMES', 'SERIAL', 'EXPIRES'], ...cells])
}

async function refuseToReplace(path: string, force: true | undefined): Promise<void> {
  for (const file of force ? [] : [path, keyNameOf(path)]) {
    if (await statOf(file)) throw new CommandFailure(`${file}: already there, and left as it is (--force replaces it)`)
  }
}

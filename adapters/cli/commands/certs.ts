import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { isClaimName } from '../../../src/auth/token-profile.ts'
import { describeCertificate } from '../../node/certificates.ts'
import { statOf } from '../../node/durable-file.ts'
import { parsePrivateKey, readPem } from '../../node/tls/pem.ts'
import { namesOf, parseAlternativeNames } from '../certs/alternative-names.ts'
import {
  AUTHORITY,
  keyNameOf,
  type Listed,
  listFolder,
  REVOKED,
  readCertificate,
  readFolderList,
  readSigner,
  SERVER,
  told,
  useOf,
  writePair,
  writePublic,
} from '../certs/cert-folder.ts'
import { type AlternativeName, type Made, makeAuthority, makeLeaf, remake } from '../certs/make-certificate.ts'
import { makeRevocationList } from '../certs/make-revocation-list.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { isOpenToOthers, makeKeyFolder } from '../key-files.ts'
import { note, print, printJson, printTable } from '../print.ts'

const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 3650
const LEAF_DAYS = 90
/** Made anew by `certs renew --all-due` and by each `certs revoke`. */
const LIST_DAYS = 30
/** What ends sooner is due. */
const DUE_DAYS = 30
const LIST_DUE_DAYS = 10

/** `sallyport certs`: an authority of one's own. */
export function registerCerts(program: Command): void {
  const certs = program.command('certs').description('make certificates for servers and callers: an internal CA')
  const withFolder = (command: Command): Command =>
    command.option('--dir <folder>', 'where certificates are kept', 'certs').option('--json', 'print JSON')

  withFolder(certs.command('init'))
    .description('make the authority that signs all others')
    .option('--name <text>', 'what it is called', commonName, 'Sallyport internal CA')
    .option('--days <n>', 'how long it is good', days, AUTHORITY_DAYS)
    .option('--force', 'replace the one that is there; what it has signed is then refused')
    .action(init)

  withFolder(certs.command('issue'))
    .description('make a certificate for a server or for a caller')
    .option('--server <name>', 'the host that callers connect to: server.pem', commonName)
    .option('--client <name>', 'the service that calls: client-NAME.pem', fileName)
    .option('--out <name>', 'another name for the file, without .pem', fileName)
    .option(
      '--san <names>',
      'more names: dns:host, ip:address, uri:…, email:…, separated by commas',
      parseAlternativeNames,
    )
    .option('--days <n>', 'how long it is good', days, LEAF_DAYS)
    .option('--force', 'replace the one that is there')
    .action(issue)

  withFolder(certs.command('renew'))
    .description('make a certificate anew: the same names, a new key, a new life')
    .argument('[file]', 'the certificate')
    .option('--all-due', `everything in the folder that ends within ${DUE_DAYS} days, and the list of revoked ones`)
    .option('--days <n>', 'how long it is good (default: as long as before)', days)
    .action(renew)

  withFolder(certs.command('list')).description('list certificates, and when they end').action(list)

  withFolder(certs.command('revoke'))
    .description(`revoke a certificate: writes ${REVOKED} (tls.crl). Without a file, gives the list a new life`)
    .argument('[file]', 'the certificate')
    .option('--days <n>', 'how long the list is good; once it has ended, no caller is let in', days, LIST_DAYS)
    .action(revoke)
}

interface Folder {
  readonly dir: string
  readonly json?: true
}

interface InitOptions extends Folder {
  readonly name: string
  readonly days: number
  readonly force?: true
}

async function init({ dir, name, days: life, force, json }: InitOptions): Promise<void> {
  const path = join(dir, AUTHORITY)
  await refuseToReplace(path, force)
  await makeKeyFolder(dir)
  if (await isOpenToOthers(dir)) note(`warning: ${dir} is open to others; chmod 700 closes it`)
  const made = makeAuthority(name, life, Date.now())
  await writePair(path, made, force === true)
  report([{ path, made }], json)
  if (!json) note(`keep ${keyNameOf(path)} off the gateway: it signs, and nothing there needs it`)
}

interface IssueOptions extends Folder {
  readonly server?: string
  readonly client?: string
  readonly out?: string
  readonly san?: readonly AlternativeName[]
  readonly days: number
  readonly force?: true
}

async function issue({ dir, server, client, out, san = [], days: life, force, json }: IssueOptions): Promise<void> {
  const name = server ?? client
  if (name === undefined || (server !== undefined && client !== undefined)) {
    throw new UsageError('give one of --server and --client')
  }
  const use = server === undefined ? 'client' : 'server'
  const file = out === undefined ? (use === 'server' ? SERVER : `client-${name}.pem`) : `${out}.pem`
  const path = join(dir, file)
  if (file === AUTHORITY || file === REVOKED) throw new UsageError(`--out: ${file} is taken`)
  await refuseToReplace(path, force)
  const signer = await readSigner(dir)
  const made = makeLeaf({ name, use, names: namesOf(name, use, san) }, signer, life, Date.now())
  await writePair(path, made, force === true)
  if (made.certificate.validTo === signer.certificate.validTo) note('it ends with its authority')
  report([{ path, made }], json)
}

interface RenewOptions extends Folder {
  readonly allDue?: true
  readonly days?: number
}

async function renew(file: string | undefined, { dir, allDue, days: life, json }: RenewOptions): Promise<void> {
  if ((file === undefined) === (allDue === undefined)) throw new UsageError('name a certificate, or give --all-due')
  const renewed: Written[] = []
  const one = async (path: string): Promise<void> => {
    const made = await renewOne(path, dir, life)
    await writePair(path, made, true)
    renewed.push({ path, made })
  }
  if (file !== undefined) await one(file)
  else {
    // The authority first: what it signs cannot outlive it.
    const due = (await listFolder(dir)).filter(listed => !listed.revoked && endsWithin(listed, DUE_DAYS))
    const isAuthority = ({ use }: Listed): boolean => use === 'authority'
    for (const listed of [...due.filter(isAuthority), ...due.filter(item => !isAuthority(item))]) await one(listed.file)
    await renewList(dir)
  }
  report(renewed, json)
  if (renewed.some(({ made }) => !made.certificate.ca) && !json) {
    note('tokens that are bound to the old certificates have to be minted again')
  }
}

async function renewOne(path: string, dir: string, life: number | undefined): Promise<Made> {
  const old = await readCertificate(path)
  const signer = old.ca ? await ownSigner(path, dir, old) : await readSigner(dir)
  if (!old.verify(signer.certificate.publicKey)) {
    throw new CommandFailure(`${path}: not signed by ${join(dir, AUTHORITY)} (--dir names another folder)`)
  }
  return remake(old, signer, life, Date.now())
}

/** An authority signs itself, also when it has ended. */
async function ownSigner(path: string, dir: string, certificate: Made['certificate']) {
  if (join(path) !== join(dir, AUTHORITY)) throw new CommandFailure(`${path}: not the authority of ${dir}`)
  const keyPath = keyNameOf(path)
  return { certificate, key: await told(async () => parsePrivateKey(await readPem(keyPath), keyPath)) }
}

async function renewList(dir: string): Promise<void> {
  const signer = await readSigner(dir)
  const before = await readFolderList(dir, signer.certificate)
  if (before === undefined || before.endsAtMs > Date.now() + LIST_DUE_DAYS * DAY_MS) return
  await writePublic(join(dir, REVOKED), makeRevocationList(signer, before.pem, undefined, LIST_DAYS, Date.now()))
  note(`${join(dir, REVOKED)}  good for ${LIST_DAYS} more days`)
}

async function list({ dir, json }: Folder): Promise<void> {
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

interface RevokeOptions extends Folder {
  readonly days: number
}

async function revoke(file: string | undefined, { dir, days: life, json }: RevokeOptions): Promise<void> {
  const signer = await readSigner(dir)
  const certificate = file === undefined ? undefined : await readCertificate(file)
  if (certificate?.ca) throw new UsageError(`${file}: an authority is not revoked; take it out of tls.clientCa`)
  if (certificate && !certificate.verify(signer.certificate.publicKey)) {
    throw new CommandFailure(`${file}: not signed by ${join(dir, AUTHORITY)}, which cannot revoke it`)
  }
  const before = await readFolderList(dir, signer.certificate)
  const path = join(dir, REVOKED)
  await writePublic(path, makeRevocationList(signer, before?.pem, certificate?.serialNumber, life, Date.now()))
  const written = await readFolderList(dir, signer.certificate)
  const result = {
    file: path,
    revoked: certificate?.serialNumber.toLowerCase() ?? null,
    entries: written?.serials.size ?? 0,
    expires: new Date(written?.endsAtMs ?? 0).toISOString(),
  }
  if (json) return printJson(result)
  print(`${path}  ${result.entries} revoked, good until ${result.expires.slice(0, 10)}`)
}

interface Written {
  readonly path: string
  readonly made: Made
}

function report(written: readonly Written[], json: true | undefined): void {
  const rows = written.map(({ path, made: { certificate } }) => ({
    ...describe({ file: path, certificate, use: useOf(certificate), revoked: false }),
    key: keyNameOf(path),
  }))
  if (json) return printJson(rows.length === 1 ? rows[0] : rows)
  for (const { file, key, subject, expires } of rows) {
    print(`${file}  ${subject}, good until ${expires.slice(0, 10)}`)
    print(`${key}  its private key`)
  }
  if (rows.length === 0) print('nothing is due')
}

function describe({ file, certificate, use, revoked }: Listed) {
  const names = ((certificate as { subjectAltName?: string }).subjectAltName ?? '').split(', ').filter(Boolean)
  return {
    file,
    use,
    subject: describeCertificate(certificate).subject,
    names: names.map(name => name.replace('IP Address:', 'ip:').replace('DNS:', 'dns:').replace('URI:', 'uri:')),
    serial: certificate.serialNumber.toLowerCase(),
    thumbprint: describeCertificate(certificate).thumbprint,
    expires: new Date(certificate.validTo).toISOString(),
    state: stateOf({ file, certificate, use, revoked }),
  }
}

function stateOf(listed: Listed): 'good' | 'due' | 'expired' | 'revoked' {
  if (listed.revoked) return 'revoked'
  if (endsWithin(listed, 0)) return 'expired'
  return endsWithin(listed, DUE_DAYS) ? 'due' : 'good'
}

function endsWithin({ certificate }: Listed, dayCount: number): boolean {
  return Date.parse(certificate.validTo) <= Date.now() + dayCount * DAY_MS
}

async function refuseToReplace(path: string, force: true | undefined): Promise<void> {
  for (const file of force ? [] : [path, keyNameOf(path)]) {
    if (await statOf(file)) throw new CommandFailure(`${file}: already there, and left as it is (--force replaces it)`)
  }
}

function commonName(value: string): string {
  if (value.length <= 64 && /^[^\p{C}]+$/u.test(value)) return value
  throw new InvalidArgumentError('Use up to 64 characters that can be read.')
}

function fileName(value: string): string {
  if (isClaimName(value) && !value.startsWith('.')) return value
  throw new InvalidArgumentError('Use up to 64 letters, digits, dots, underscores and hyphens.')
}

function days(value: string): number {
  const count = Number(value)
  if (/^\d{1,5}$/.test(value) && count >= 1 && count <= AUTHORITY_DAYS * 2) return count
  throw new InvalidArgumentError(`Use whole days, 1 to ${AUTHORITY_DAYS * 2}.`)
}

import type { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { Command } from 'commander'
import { parsePrivateKey, readPem } from '../../node/tls/pem.ts'
import {
  AUTHORITY,
  alone,
  keyNameOf,
  listFolder,
  REVOKED,
  readCertificate,
  readFolderList,
  readSigner,
  told,
  writePair,
  writePublic,
} from '../certs/cert-folder.ts'
import { type Made, remake, type Signer } from '../certs/make-certificate.ts'
import { makeRevocationList } from '../certs/make-revocation-list.ts'
import { type FolderOptions, wholeDays, withFolder } from '../certs/options.ts'
import { DUE_DAYS, report, reportJson, stateOf, type Written } from '../certs/report.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { note, print } from '../print.ts'
import { LIST_DAYS } from './certs-revoke.ts'

const DAY_MS = 86_400_000
const LIST_DUE_DAYS = 10

/** `sallyport certs renew`: the same names, a new key, a new life. */
export function registerCertsRenew(certs: Command): void {
  withFolder(certs.command('renew'))
    .description('make a certificate anew: the same names, a new key, a new life')
    .argument('[file]', 'the certificate')
    .option(
      '--all-due',
      `what of the folder has ended, ends within ${DUE_DAYS} days or has a third of a short life left; the list of revoked ones`,
    )
    .option('--days <n>', 'how long it is good (default: as long as before)', wholeDays)
    .action(renew)
}

interface RenewOptions extends FolderOptions {
  readonly allDue?: true
  readonly days?: number
}

async function renew(file: string | undefined, { dir, allDue, days, json }: RenewOptions): Promise<void> {
  if ((file === undefined) === (allDue === undefined)) throw new UsageError('name a certificate, or give --all-due')
  if (file !== undefined) {
    const written = await renewOne(file, dir, days)
    if (json) return reportJson(written)
    report([written])
    if (written.made.certificate.ca) return
    note('tokens that are bound to the old one have to be minted again')
    note(`the old one stays good until it ends; if its key has leaked: certs revoke --serial ${written.replaced}`)
    return
  }
  const written: Written[] = []
  for (const path of await dueIn(dir)) written.push(await renewOne(path, dir, days))
  let hasNewList = false
  await alone(dir, async () => {
    hasNewList = await renewList(dir)
  })
  if (json) return reportJson(written)
  report(written)
  if (hasNewList) print(`${join(dir, REVOKED)}  good for ${LIST_DAYS} more days`)
  if (written.length === 0 && !hasNewList) print('nothing is due')
  else note('tokens that are bound to old certificates have to be minted again')
}

/** What the folder's authority can renew, itself first: what it signs cannot outlive it. */
async function dueIn(dir: string): Promise<string[]> {
  const authority = await readCertificate(join(dir, AUTHORITY))
  const due = (await listFolder(dir)).filter(listed => {
    return ['due', 'expired'].includes(stateOf(listed)) && listed.certificate.verify(authority.publicKey)
  })
  return due.toSorted((a, b) => Number(b.use === 'authority') - Number(a.use === 'authority')).map(({ file }) => file)
}

async function renewOne(path: string, dir: string, days: number | undefined): Promise<Written> {
  const old = await readCertificate(path)
  const signer = old.ca ? await ownSigner(path, dir, old) : await readSigner(dir)
  if (!old.verify(signer.certificate.publicKey)) {
    throw new CommandFailure(`${path}: not signed by ${join(dir, AUTHORITY)} (--dir names another folder)`)
  }
  const made: Made = remake(old, signer, days, Date.now())
  await writePair(path, made, true)
  return { path, made, replaced: old.serialNumber.toLowerCase() }
}

/** An authority signs itself, also when it has ended. */
async function ownSigner(path: string, dir: string, certificate: X509Certificate): Promise<Signer> {
  if (join(path) !== join(dir, AUTHORITY)) throw new CommandFailure(`${path}: not the authority of ${dir}`)
  const keyPath = keyNameOf(path)
  const key = await told(async () => parsePrivateKey(await readPem(keyPath), keyPath))
  if (!certificate.checkPrivateKey(key)) throw new CommandFailure(`${keyPath}: does not belong to ${path}`)
  return { certificate, key }
}

/** Gives the list of revoked certificates a new life, where there is one and it is due. */
async function renewList(dir: string): Promise<boolean> {
  const signer = await readSigner(dir)
  const before = await readFolderList(dir, signer.certificate)
  if (before === undefined || before.endsAtMs > Date.now() + LIST_DUE_DAYS * DAY_MS) return false
  await writePublic(join(dir, REVOKED), makeRevocationList(signer, before.pem, undefined, LIST_DAYS, Date.now()))
  return true
}

import { join } from 'node:path'
import type { Command } from 'commander'
import {
  AUTHORITY,
  alone,
  REVOKED,
  readCertificate,
  readFolderList,
  readSigner,
  writePublic,
} from '../certs/cert-folder.ts'
import { makeRevocationList } from '../certs/make-revocation-list.ts'
import { type FolderOptions, serialNumber, wholeDays, withFolder } from '../certs/options.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { print, printJson } from '../print.ts'

/** How long a list is good. */
export const LIST_DAYS = 30

/** `sallyport certs revoke`: the list of revoked certificates. */
export function registerCertsRevoke(certs: Command): void {
  withFolder(certs.command('revoke'))
    .description(`revoke a certificate: writes ${REVOKED} (tls.crl). Without a file, gives the list a new life`)
    .argument('[file]', 'the certificate')
    .option('--serial <hex>', 'its serial number, where the file is there no more', serialNumber)
    .option('--days <n>', 'how long the list is good; once it has ended, no caller is let in', wholeDays, LIST_DAYS)
    .action(revoke)
}

interface RevokeOptions extends FolderOptions {
  readonly serial?: string
  readonly days: number
}

async function revoke(file: string | undefined, options: RevokeOptions): Promise<void> {
  if (file !== undefined && options.serial !== undefined)
    throw new UsageError('give a certificate or --serial, not both')
  await readSigner(options.dir)
  await alone(options.dir, () => revokeAlone(file, options))
}

async function revokeAlone(file: string | undefined, { dir, serial, days, json }: RevokeOptions): Promise<void> {
  const signer = await readSigner(dir)
  const certificate = file === undefined ? undefined : await readCertificate(file)
  if (certificate?.ca) throw new UsageError(`${file}: an authority is not revoked; take it out of tls.clientCa`)
  if (certificate && !certificate.verify(signer.certificate.publicKey)) {
    throw new CommandFailure(`${file}: not signed by ${join(dir, AUTHORITY)}, which cannot revoke it`)
  }
  const before = await readFolderList(dir, signer.certificate)
  const path = join(dir, REVOKED)
  const revoked = certificate?.serialNumber.toLowerCase() ?? serial
  await writePublic(path, makeRevocationList(signer, before?.pem, revoked, days, Date.now()))
  const written = await readFolderList(dir, signer.certificate)
  const result = {
    file: path,
    revoked: revoked ?? null,
    entries: written?.serials.size ?? 0,
    expires: new Date(written?.endsAtMs ?? 0).toISOString(),
  }
  if (json) return printJson(result)
  print(`${path}  ${result.entries} revoked, good until ${result.expires.slice(0, 10)}`)
}

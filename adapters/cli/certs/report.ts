import { describeCertificate } from '../../node/certificates.ts'
import { print, printJson } from '../print.ts'
import { keyNameOf, type Listed, useOf } from './cert-folder.ts'
import type { Made } from './make-certificate.ts'

const DAY_MS = 86_400_000
/** A certificate is due for a new life when less than this is left, or less than a third of a short life. */
export const DUE_DAYS = 30

/** A certificate that was written, with its key beside it. */
export interface Written {
  readonly path: string
  readonly made: Made
  /** The serial number of the one that it takes the place of. */
  readonly replaced?: string
}

/** Prints what was written. */
export function report(written: readonly Written[]): void {
  for (const { file, key, subject, expires } of written.map(describeWritten)) {
    print(`${file}  ${subject}, good until ${expires.slice(0, 10)}`)
    print(`${key}  its private key`)
  }
}

/** The same for programs. */
export function reportJson(written: Written | readonly Written[]): void {
  printJson('path' in written ? describeWritten(written) : written.map(describeWritten))
}

function describeWritten({ path, made: { certificate }, replaced }: Written) {
  const before = replaced === undefined ? {} : { replaced }
  return {
    ...describe({ file: path, certificate, use: useOf(certificate), revoked: false }),
    key: keyNameOf(path),
    ...before,
  }
}

/** What people want to know of a certificate. */
export function describe(listed: Listed) {
  const { file, certificate, use } = listed
  const names = ((certificate as { subjectAltName?: string }).subjectAltName ?? '').split(', ').filter(Boolean)
  return {
    file,
    use,
    ...describeCertificate(certificate),
    names: names.map(name => name.replace('IP Address:', 'ip:').replace('DNS:', 'dns:').replace('URI:', 'uri:')),
    serial: certificate.serialNumber.toLowerCase(),
    expires: new Date(certificate.validTo).toISOString(),
    state: stateOf(listed),
  }
}

export function stateOf({ certificate, revoked }: Listed): 'good' | 'due' | 'expired' | 'revoked' {
  if (revoked) return 'revoked'
  const endMs = Date.parse(certificate.validTo)
  const leftMs = endMs - Date.now()
  if (leftMs <= 0) return 'expired'
  const third = (endMs - Date.parse(certificate.validFrom)) / 3
  return leftMs < Math.min(DUE_DAYS * DAY_MS, third) ? 'due' : 'good'
}

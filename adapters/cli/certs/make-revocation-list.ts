import { AsnConvert } from '@peculiar/asn1-schema'
import {
  CertificateList,
  CRLNumber,
  id_ce_cRLNumber,
  RevokedCertificate,
  TBSCertList,
  Time,
  Version,
} from '@peculiar/asn1-x509'
import { derOf, toPem } from '../../node/tls/pem.ts'
import {
  authorityKeyIdentifier,
  BACKDATED_MS,
  ECDSA_SHA256,
  extension,
  keyIdOf,
  parse,
  type Signer,
  signatureOf,
} from './make-certificate.ts'

const DAY_MS = 86_400_000

/**
 * The next list (RFC 5280) of an authority: what stood in the one before, and `serial` (hex) where one is given. An entry
 * whose certificate has long ended stays: it does no harm, and who looks back finds it.
 */
export function makeRevocationList(
  signer: Signer,
  before: string | undefined,
  serial: string | undefined,
  days: number,
  nowMs: number,
): string {
  const old = before === undefined ? undefined : AsnConvert.parse(derOf(before), CertificateList).tbsCertList
  const entries = [...(old?.revokedCertificates ?? [])]
  if (serial !== undefined && !entries.some(entry => hex(entry.userCertificate) === integer(serial).toString('hex'))) {
    const userCertificate = Uint8Array.from(integer(serial)).buffer
    entries.push(new RevokedCertificate({ userCertificate, revocationDate: new Time(wholeSecond(nowMs)) }))
  }
  const { subject, subjectPublicKeyInfo } = parse(signer.certificate).tbsCertificate
  const tbs = new TBSCertList({
    version: Version.v2,
    signature: ECDSA_SHA256,
    issuer: subject,
    thisUpdate: new Time(wholeSecond(nowMs - BACKDATED_MS)),
    nextUpdate: new Time(wholeSecond(nowMs + days * DAY_MS)),
    // An empty list has no such member.
    ...(entries.length > 0 && { revokedCertificates: entries }),
    crlExtensions: [
      authorityKeyIdentifier(keyIdOf(subjectPublicKeyInfo)),
      extension(id_ce_cRLNumber, new CRLNumber(numberOf(old) + 1)),
    ],
  })
  const list = new CertificateList({
    tbsCertList: tbs,
    signatureAlgorithm: ECDSA_SHA256,
    signature: signatureOf(tbs, signer.key),
  })
  return toPem(AsnConvert.serialize(list), 'X509 CRL')
}

function numberOf(list: TBSCertList | undefined): number {
  const found = list?.crlExtensions?.find(({ extnID }) => extnID === id_ce_cRLNumber)
  return found ? AsnConvert.parse(found.extnValue.buffer, CRLNumber).value : 0
}

/** The bytes of a positive integer in its shortest form. */
function integer(serial: string): Buffer {
  const digits = serial.replace(/^0+(?=.)/, '')
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
  return (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes
}

function hex(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('hex')
}

function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000)
}

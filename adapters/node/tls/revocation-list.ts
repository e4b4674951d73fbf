import { verify, type X509Certificate } from 'node:crypto'
import { derOf } from './pem.ts'

/** A list of revoked certificates (RFC 5280), proved to be of one of our authorities. */
export interface RevocationList {
  readonly pem: string
  readonly authority: X509Certificate
  /** Serial numbers in lower-case hex, without leading zeros. */
  readonly serials: ReadonlySet<string>
  /** From then on it proves nothing any more, and no caller is let in. */
  readonly endsAtMs: number
}

export type RevocationListResult =
  | { readonly ok: true; readonly list: RevocationList }
  | { readonly ok: false; readonly reason: string }

/** Digests by the object identifiers of signature algorithms; null where the algorithm has its own. */
const DIGESTS: Readonly<Record<string, string | null>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null,
}

/** Reads one PEM block. The library is loaded here, so that only those who have a list pay for it. */
export async function readRevocationList(
  pem: string,
  authorities: readonly X509Certificate[],
): Promise<RevocationListResult> {
  const { CertificateList } = await import('@peculiar/asn1-x509')
  const { AsnConvert } = await import('@peculiar/asn1-schema')
  let list: InstanceType<typeof CertificateList>
  try {
    list = AsnConvert.parse(derOf(pem), CertificateList)
  } catch {
    return refused('not a PEM revocation list (X509 CRL)')
  }
  const { tbsCertList, tbsCertListRaw, signatureAlgorithm, signature } = list
  const digest = DIGESTS[signatureAlgorithm.algorithm]
  if (digest === undefined || tbsCertListRaw === undefined) return refused('signed with an algorithm that is not known')
  const signed = ({ publicKey }: X509Certificate): boolean => {
    try {
      return verify(digest, new Uint8Array(tbsCertListRaw), publicKey, new Uint8Array(signature))
    } catch {
      // A key of another kind than the signature's.
      return false
    }
  }
  const authority = authorities.find(signed)
  if (authority === undefined) return refused('not signed by an authority of tls.clientCa')
  const begins = tbsCertList.thisUpdate.getTime()
  if (begins.getTime() > Date.now()) return refused(`is not valid before ${begins.toISOString()}`)
  if (tbsCertList.nextUpdate === undefined) return refused('does not say until when it is valid (nextUpdate)')
  return {
    ok: true,
    list: {
      pem,
      authority,
      serials: new Set(tbsCertList.revokedCertificates?.map(entry => serialOf(hex(entry.userCertificate)))),
      endsAtMs: tbsCertList.nextUpdate.getTime().getTime(),
    },
  }
}

/** Whether a list names a certificate of its authority. */
export function isRevoked(certificate: X509Certificate, { serials, authority }: RevocationList): boolean {
  return serials.has(serialOf(certificate.serialNumber)) && certificate.verify(authority.publicKey)
}

function serialOf(hexDigits: string): string {
  return hexDigits.toLowerCase().replace(/^0+(?=.)/, '')
}

function hex(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('hex')
}

function refused(reason: string): RevocationListResult {
  return { ok: false, reason }
}

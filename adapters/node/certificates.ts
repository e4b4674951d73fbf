import { createHash, X509Certificate } from 'node:crypto'
import type { Certificates } from '../../src/ports/certificates.ts'
import type { ClientCertificate } from '../../src/ports/transport.ts'

/** A name goes into every record: as long as a person can read. */
const MAX_SUBJECT_CHARACTERS = 256

/** What records and tokens call a certificate: its thumbprint (RFC 8705) and its subject, or its alternative names. */
export function describeCertificate(certificate: X509Certificate): ClientCertificate {
  // An empty subject is undefined, whatever the types say.
  const { subject, subjectAltName } = certificate as { subject?: string; subjectAltName?: string }
  const name = subject?.replaceAll('\n', ',') || (subjectAltName ?? '')
  return {
    thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
    subject: name.slice(0, MAX_SUBJECT_CHARACTERS).toWellFormed(),
  }
}

export const nodeCertificates: Certificates = {
  describe(der) {
    try {
      return describeCertificate(new X509Certificate(der))
    } catch {
      return undefined
    }
  },
}

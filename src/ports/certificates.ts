import type { ClientCertificate } from './transport.ts'

/** Reads X.509 certificates. */
export interface Certificates {
  /** What records and tokens call a certificate, of its DER bytes; undefined where they are none. */
  describe(der: Uint8Array): ClientCertificate | undefined
}

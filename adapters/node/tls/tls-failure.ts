import type { UpstreamFailure } from '../../../src/ports/upstream.ts'

/** What checks of a server's certificate end with, by the codes of Node and Bun, which are OpenSSL's. */
const DISTRUST: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate was revoked',
  CERT_UNTRUSTED: 'its certificate is not trusted for this',
  CERT_REJECTED: 'its certificate is not trusted for this',
  CERT_SIGNATURE_FAILURE: 'the signature of its certificate is wrong',
  CERT_CHAIN_TOO_LONG: 'its chain of certificates is too long',
  PATH_LENGTH_EXCEEDED: 'its chain of certificates is too long',
  INVALID_CA: 'its certificate was signed by what is no authority',
  INVALID_PURPOSE: 'its certificate is not one of a server',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is of an unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an unknown authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  HOSTNAME_MISMATCH: 'its certificate is for another name',
}

/**
 * The failure of a connection that the two ends could not agree to trust; undefined for every other error. Under TLS 1.3
 * a server refuses our certificate only when the request has been written, with an alert: it has not read the request then.
 * @param sent whether the request had been given to a connection
 */
export function tlsFailure(code: string, origin: string, sent: boolean): UpstreamFailure | undefined {
  if (!origin.startsWith('https:')) return undefined
  const distrust = DISTRUST[code]
  if (distrust !== undefined) return { kind: 'tls', message: `${origin} is not trusted: ${distrust} (${code})` }
  const isHandshake = sent ? /^ERR_SSL_.*ALERT_/.test(code) : /^(?:ERR_SSL_|EPROTO$)/.test(code)
  return isHandshake ? { kind: 'tls', message: `no TLS with ${origin}: the handshake failed (${code})` } : undefined
}

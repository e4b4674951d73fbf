import type { ClientCertFormat } from '../config/config.ts'
import { MAX_CLIENT_CERT_CHARACTERS } from '../config/limits.ts'
import type { Certificates } from '../ports/certificates.ts'
import type { ClientCertificate } from '../ports/transport.ts'

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const PEM = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/
const XFCC_MEMBER = /(\w+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(?:([;,])|$)/gy

/**
 * The certificate that a proxy has written into a header; undefined where the header is not what the format says.
 * That it is a certificate of the caller, and a valid one, is the proxy's to verify.
 */
export function readClientCert(
  value: string,
  format: ClientCertFormat,
  certificates: Certificates,
): ClientCertificate | undefined {
  if (value.length > MAX_CLIENT_CERT_CHARACTERS) return undefined
  const der = READERS[format](value)
  return der && certificates.describe(der)
}

const READERS: Readonly<Record<ClientCertFormat, (value: string) => Uint8Array | undefined>> = {
  // RFC 9440: a byte sequence (RFC 8941), base64 between colons.
  rfc9440: value => {
    const base64 = /^:([^:]*):$/.exec(value.trim())?.[1]
    return base64 === undefined ? undefined : bytesOf(base64)
  },
  // $ssl_client_escaped_cert: PEM with percent escapes.
  'nginx-escaped-pem': derOfEscapedPem,
  'envoy-xfcc': value => {
    const cert = xfccCert(value)
    return cert === undefined ? undefined : derOfEscapedPem(cert)
  },
}

/**
 * `Cert` of the last element: the proxy nearest to us appends its own (Envoy's `APPEND_FORWARD`), or has put it in place of
 * all others (`SANITIZE_SET`).
 */
function xfccCert(value: string): string | undefined {
  let cert: string | undefined
  XFCC_MEMBER.lastIndex = 0
  let end = 0
  let separator: string | undefined
  for (let member = XFCC_MEMBER.exec(value); member; member = XFCC_MEMBER.exec(value)) {
    const [whole, name = '', text = ''] = member
    if (separator === ',') cert = undefined
    if (name.toLowerCase() === 'cert') cert = text.replace(/^"(.*)"$/, '$1')
    separator = member[3]
    end = member.index + whole.length
    if (separator === undefined) break
  }
  return end === value.length && separator === undefined ? cert : undefined
}

function derOfEscapedPem(escaped: string): Uint8Array | undefined {
  let pem: string
  try {
    pem = decodeURIComponent(escaped)
  } catch {
    return undefined
  }
  const base64 = PEM.exec(pem.trim())?.[1]
  return base64 === undefined ? undefined : bytesOf(base64.replaceAll(/\s/g, ''))
}

function bytesOf(base64: string): Uint8Array | undefined {
  if (!BASE64.test(base64)) return undefined
  try {
    return Uint8Array.from(atob(base64), unit => unit.charCodeAt(0))
  } catch {
    return undefined
  }
}

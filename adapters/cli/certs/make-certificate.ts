import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'
import { derOf, toPem } from '../../node/tls/pem.ts'

/** X.509 certificates (RFC 5280) with keys on P-256, signed with ECDSA and SHA-256. The library encodes; OpenSSL signs. */

const DAY_MS = 86_400_000
/** Clocks of others may be a little behind. */
export const BACKDATED_MS = 5 * 60_000
const COMMON_NAME = '2.5.4.3'
export const ECDSA_SHA256 = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })

/** Who signs: a certificate with its key. */
export interface Signer {
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

export interface Made {
  readonly certificate: X509Certificate
  readonly pem: string
  readonly keyPem: string
}

export interface AlternativeName {
  readonly kind: 'dns' | 'ip' | 'uri' | 'email'
  readonly value: string
}

/** What a certificate says, whatever its key and its life. */
interface Content {
  readonly subject: Name
  readonly extensions: readonly Extension[]
}

/** An authority that signs certificates of callers and servers, and no other authorities. */
export function makeAuthority(name: string, days: number, nowMs: number): Made {
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
  ]
  const key = newKey()
  return make({ subject: nameOf(name), extensions }, key, undefined, nowMs + days * DAY_MS, nowMs)
}

/** A certificate for one end of a connection. It ends with its authority at the latest. */
export function makeLeaf(
  {
    name,
    use,
    names,
  }: { readonly name: string; readonly use: 'server' | 'client'; readonly names: readonly AlternativeName[] },
  signer: Signer,
  days: number,
  nowMs: number,
): Made {
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints(), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([use === 'server' ? id_kp_serverAuth : id_kp_clientAuth])),
    ...(names.length > 0 ? [extension(id_ce_subjectAltName, new SubjectAlternativeName(names.map(generalName)))] : []),
  ]
  return make({ subject: nameOf(name), extensions }, newKey(), signer, nowMs + days * DAY_MS, nowMs)
}

/**
 * The same certificate with a new serial number, a new life and a new key. An authority keeps its key, so that what it has
 * signed stays good.
 */
export function remake(old: X509Certificate, signer: Signer, days: number | undefined, nowMs: number): Made {
  const { tbsCertificate } = parse(old)
  const keyIds: readonly string[] = [id_ce_subjectKeyIdentifier, id_ce_authorityKeyIdentifier]
  const content: Content = {
    subject: tbsCertificate.subject,
    extensions: (tbsCertificate.extensions ?? []).filter(({ extnID }) => !keyIds.includes(extnID)),
  }
  const life = days === undefined ? Date.parse(old.validTo) - Date.parse(old.validFrom) - BACKDATED_MS : days * DAY_MS
  const isOwn = old.fingerprint256 === signer.certificate.fingerprint256
  return make(content, isOwn ? signer.key : newKey(), isOwn ? undefined : signer, nowMs + life, nowMs)
}

/** Without a signer, the certificate signs itself. */
function make(content: Content, key: KeyObject, signer: Signer | undefined, endMs: number, nowMs: number): Made {
  const publicKey = publicKeyOf(key)
  const keyId = keyIdOf(publicKey)
  const issuer = signer && parse(signer.certificate).tbsCertificate
  const authorityKeyId = issuer ? keyIdOf(issuer.subjectPublicKeyInfo) : keyId
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: newSerial(),
    signature: ECDSA_SHA256,
    issuer: issuer?.subject ?? content.subject,
    validity: new Validity({
      notBefore: new Date(nowMs - BACKDATED_MS),
      notAfter: new Date(signer ? Math.min(endMs, Date.parse(signer.certificate.validTo)) : endMs),
    }),
    subject: content.subject,
    subjectPublicKeyInfo: publicKey,
    extensions: new Extensions([
      ...content.extensions,
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyId)),
      authorityKeyIdentifier(authorityKeyId),
    ]),
  })
  const der = AsnConvert.serialize(
    new Certificate({
      tbsCertificate: tbs,
      signatureAlgorithm: ECDSA_SHA256,
      signatureValue: signatureOf(tbs, signer?.key ?? key),
    }),
  )
  const pem = toPem(der, 'CERTIFICATE')
  const keyPem = String(key.export({ type: 'pkcs8', format: 'pem' }))
  return { certificate: new X509Certificate(pem), pem, keyPem }
}

/** The signature over a structure, DER in DER. */
export function signatureOf(content: object, key: KeyObject): ArrayBuffer {
  return buffer(sign('sha256', new Uint8Array(AsnConvert.serialize(content)), key))
}

/** Names the key that signed. */
export function authorityKeyIdentifier(keyId: ArrayBuffer): Extension {
  return extension(
    id_ce_authorityKeyIdentifier,
    new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyId) }),
  )
}

/** RFC 7093, method 1: the first 160 bits of the SHA-256 of the key. */
export function keyIdOf({ subjectPublicKey }: SubjectPublicKeyInfo): ArrayBuffer {
  return buffer(createHash('sha256').update(new Uint8Array(subjectPublicKey)).digest().subarray(0, 20))
}

export function extension(id: string, value: object, critical = false): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
}

export function parse(certificate: X509Certificate): Certificate {
  return AsnConvert.parse(derOf(certificate.toString()), Certificate)
}

function publicKeyOf(key: KeyObject): SubjectPublicKeyInfo {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return AsnConvert.parse(buffer(der), SubjectPublicKeyInfo)
}

/** 128 random bits, as a positive integer in its shortest form. */
function newSerial(): ArrayBuffer {
  const bytes = randomBytes(16)
  if (bytes[0] === 0) bytes[0] = 1
  return buffer((bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName })
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])])
}

function generalName({ kind, value }: AlternativeName): GeneralName {
  switch (kind) {
    case 'dns':
      return new GeneralName({ dNSName: value })
    case 'ip':
      return new GeneralName({ iPAddress: value })
    case 'uri':
      return new GeneralName({ uniformResourceIdentifier: value })
    case 'email':
      return new GeneralName({ rfc822Name: value })
  }
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}

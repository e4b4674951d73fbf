import type { X509Certificate } from 'node:crypto'

/**
 * Whether signatures lead from a certificate, the first of `shown`, to an authority, over those that came along with it.
 * Which certificate stands behind which in `shown` says nothing: the caller has put them there, and names can be the same.
 */
export function isVouchedFor(shown: readonly X509Certificate[], authorities: readonly X509Certificate[]): boolean {
  let [link] = shown
  const left = new Set(shown.slice(1))
  while (link !== undefined) {
    const subject: X509Certificate = link
    if (authorities.some(authority => subject.raw.equals(authority.raw) || isSignedBy(subject, authority))) return true
    link = [...left].find(other => other.ca && isSignedBy(subject, other))
    if (link) left.delete(link)
  }
  return false
}

export function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}

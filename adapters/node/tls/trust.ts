import type { X509Certificate } from 'node:crypto'

/** Whether authorities vouch for the first of `shown`, expired or not. */
export function isVouchedFor(shown: readonly X509Certificate[], authorities: readonly X509Certificate[]): boolean {
  return vouchedUntil(shown, authorities) !== undefined
}

/**
 * Milliseconds since the Unix epoch up to which signatures lead from a certificate, the first of `shown`, to an authority,
 * over those that came along with it; undefined where none do. Which certificate stands behind which in `shown` says
 * nothing: the caller has put them there, and names can be the same.
 */
export function vouchedUntil(
  shown: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): number | undefined {
  let [link] = shown
  let untilMs = Infinity
  const left = new Set(shown.slice(1))
  while (link !== undefined) {
    const subject: X509Certificate = link
    untilMs = Math.min(untilMs, endOf(subject))
    const signers = authorities.filter(one => subject.raw.equals(one.raw) || isSignedBy(subject, one))
    // Of several with one key, such as before and after it was renewed, the longest counts.
    if (signers.length > 0) return Math.min(untilMs, Math.max(...signers.map(one => goodUntil(one, authorities))))
    link = [...left].find(other => other.ca && isSignedBy(subject, other))
    if (link) left.delete(link)
  }
  return undefined
}

/** Until when an authority is good, and those above it. */
function goodUntil(authority: X509Certificate, authorities: readonly X509Certificate[]): number {
  if (isSignedBy(authority, authority)) return endOf(authority)
  const others = authorities.filter(one => one !== authority)
  const above = others.filter(one => isSignedBy(authority, one)).map(one => goodUntil(one, others))
  return Math.min(endOf(authority), Math.max(...above))
}

/** Milliseconds since the Unix epoch. */
export function endOf({ validTo }: X509Certificate): number {
  return Date.parse(validTo)
}

export function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}

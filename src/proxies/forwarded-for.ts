import { isAddress } from './networks.ts'

/** Proxies in a row; a longer chain is a forgery or a loop. */
const MAX_HOPS = 32

/**
 * The caller's address out of `X-Forwarded-For` or, where there is none, `Forwarded` (RFC 7239): the last hop that is no
 * trusted proxy, since everything in front of that is what strangers wrote. All of them trusted: the first. `peer` where the
 * headers are not there; undefined where they cannot be read, or the caller's address is hidden (`unknown`, `_hidden`).
 */
export function forwardedAddress(
  headers: { readonly xForwardedFor: string | undefined; readonly forwarded: string | undefined },
  peer: string,
  isTrusted: (address: string) => boolean,
): string | undefined {
  const { xForwardedFor, forwarded } = headers
  const hops = xForwardedFor?.split(',') ?? forwarded?.split(',').map(forOf) ?? []
  if (hops.length > MAX_HOPS) return undefined
  let address = peer
  for (const hop of hops.toReversed()) {
    const next = bareAddress(hop.trim())
    if (next === undefined) return undefined
    address = next
    if (!isTrusted(address)) return address
  }
  return address
}

/** The `for` of one element of `Forwarded`; empty where it has none. */
function forOf(element: string): string {
  return /(?:^|;)\s*for="?([^";]*)"?\s*(?:;|$)/i.exec(element)?.[1] ?? ''
}

/** Without the port, and without the brackets of IPv6. */
function bareAddress(hop: string): string | undefined {
  const address = /^\[(.*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop
  return isAddress(address) ? address.replace(/^::ffff:(?=\d+\.)/i, '') : undefined
}

/** When an address or a token is locked out after failed authentications, and for how long. */
export interface LockoutPolicy {
  /** The failure that locks. Enough for a client that retries with an expired token a few times; nothing for guessing. */
  readonly failures: number
  /** Failures count together within this time of the first. Whole seconds. */
  readonly windowMs: number
  /** A guess then costs three seconds, and a person who fixed the token waits a minute at most. Whole seconds. */
  readonly lockMs: number
  /** Addresses or tokens remembered by one instance, so that an attacker with many cannot fill its memory: about 10 MB. */
  readonly maxAddresses: number
}

export const LOCKOUT: LockoutPolicy = { failures: 20, windowMs: 60_000, lockMs: 60_000, maxAddresses: 50_000 }

/**
 * Of tokens that the issuer has signed and that are refused all the same (expired, revoked, of another audience), wherever
 * they come from. Sooner than an address: a service that repeats an old token must not lock out all that share its address.
 */
export const TOKEN_LOCKOUT: LockoutPolicy = { ...LOCKOUT, failures: 10 }

/**
 * What failures of `address` are counted under. An IPv6 host usually has a whole /64 to itself, so that is what counts;
 * IPv4 in IPv6 clothing (`::ffff:192.0.2.1`) is IPv4. Anything else counts as it is, cut to 64 characters.
 */
export function lockoutKey(address: string): string {
  const bare = address.slice(0, 64).toLowerCase().replace(/%.*$/, '')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1]
  if (mapped !== undefined) return mapped
  if (!/^[\da-f]*:[\da-f:.]*$/.test(bare)) return bare
  const [head, tail] = bare.split('::').map(half => half.split(':').filter(group => group !== ''))
  if (head === undefined) return bare
  const leftOut = tail === undefined ? 0 : Math.max(0, 8 - head.length - tail.length)
  const groups = [...head, ...Array.from({ length: leftOut }, () => '0'), ...(tail ?? [])]
  const network = groups.slice(0, 4).map(group => group.replace(/^0+(?=.)/, ''))
  return `${network.join(':')}::/64`
}

import { base64url } from 'jose'

/**
 * Ed25519 points of small order (libsodium, `ge25519_has_small_order`), in hex without the sign bit. Under such a "key"
 * there are signatures that hold for many messages, and nobody needs a private key to make them.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/** Whether an Ed25519 public key (the `x` of its JWK) is no key at all. */
export function isSmallOrder(x: string): boolean {
  const bytes = base64url.decode(x)
  bytes[31] = (bytes[31] ?? 0) & 0x7f
  return SMALL_ORDER.has([...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(''))
}

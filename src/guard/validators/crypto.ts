import { sha256 } from './sha256.ts'

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/**
 * Whether the match is an address with its checksum: Base58Check with any version (Bitcoin, Litecoin, Dogecoin, Dash, Tron),
 * or Bech32 or Bech32m with any human-readable part (BIP 173, BIP 350).
 */
export function isWalletAddress(match: string): boolean {
  return /^(?:bc|ltc|addr|cosmos)1/i.test(match) ? isBech32(match) : isBase58Check(match)
}

/** 25 bytes, the last four of them the beginning of a double SHA-256 of the others. */
function isBase58Check(text: string): boolean {
  const bytes = new Uint8Array(25)
  for (let at = 0; at < text.length; at++) {
    let carry = BASE58.indexOf(text.charAt(at))
    if (carry < 0) return false
    for (let place = 24; place >= 0; place--) {
      carry += (bytes[place] ?? 0) * 58
      bytes[place] = carry & 0xff
      carry >>= 8
    }
    if (carry !== 0) return false
  }
  const check = sha256(sha256(bytes.subarray(0, 21)))
  return [0, 1, 2, 3].every(at => check[at] === bytes[21 + at])
}

function isBech32(match: string): boolean {
  const text = match.toLowerCase()
  if (match !== text && match !== match.toUpperCase()) return false
  const end = text.lastIndexOf('1')
  let state = 1
  // The human-readable part expanded: high bits, a zero, low bits.
  for (let at = 0; at < end; at++) state = step(state, text.charCodeAt(at) >>> 5)
  state = step(state, 0)
  for (let at = 0; at < end; at++) state = step(state, text.charCodeAt(at) & 31)
  for (let at = end + 1; at < text.length; at++) {
    const value = BECH32.indexOf(text.charAt(at))
    if (value < 0) return false
    state = step(state, value)
  }
  return state === 1 || state === 0x2bc830a3
}

function step(state: number, value: number): number {
  const top = state >>> 25
  let next = ((state & 0x1ffffff) << 5) ^ value
  for (const [bit, generator] of GENERATOR.entries()) if ((top >>> bit) & 1) next ^= generator
  return next
}

/**
 * SHA-256 (FIPS 180-4) of a few bytes, at once: WebCrypto's digest answers only through a promise, and a validator has to
 * answer now. For checksums of public strings only, nothing secret goes through here.
 */
const ROUND_CONSTANTS = fractionalBits(64, 1 / 3)
const INITIAL = fractionalBits(8, 1 / 2)

/** First 32 bits of the fractional parts of the given root of the first primes. */
function fractionalBits(count: number, power: number): Int32Array {
  const bits = new Int32Array(count)
  let found = 0
  for (let candidate = 2; found < count; candidate++) {
    let prime = true
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) prime = false
    if (!prime) continue
    const root = candidate ** power
    bits[found++] = Math.floor((root - Math.floor(root)) * 2 ** 32) | 0
  }
  return bits
}

/** Digest of at most 55 bytes (one block). */
export function sha256(bytes: Uint8Array): Uint8Array {
  const block = new DataView(new ArrayBuffer(64))
  for (let at = 0; at < bytes.length; at++) block.setUint8(at, bytes[at] ?? 0)
  block.setUint8(bytes.length, 0x80)
  block.setUint32(60, bytes.length * 8)
  const words = new Int32Array(64)
  const word = (at: number) => words[at] ?? 0
  for (let at = 0; at < 64; at++) {
    if (at < 16) {
      words[at] = block.getInt32(at * 4)
      continue
    }
    const two = word(at - 2)
    const fifteen = word(at - 15)
    const sigma1 = turn(two, 17) ^ turn(two, 19) ^ (two >>> 10)
    const sigma0 = turn(fifteen, 7) ^ turn(fifteen, 18) ^ (fifteen >>> 3)
    words[at] = (sigma1 + word(at - 7) + sigma0 + word(at - 16)) | 0
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = INITIAL
  for (let at = 0; at < 64; at++) {
    const sum1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
    const first = (h + sum1 + ((e & f) ^ (~e & g)) + (ROUND_CONSTANTS[at] ?? 0) + word(at)) | 0
    const sum0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
    const second = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  const digest = new DataView(new ArrayBuffer(32))
  for (const [at, value] of [a, b, c, d, e, f, g, h].entries()) digest.setInt32(at * 4, value + (INITIAL[at] ?? 0))
  return new Uint8Array(digest.buffer)
}

function turn(value: number, by: number): number {
  return (value >>> by) | (value << (32 - by))
}

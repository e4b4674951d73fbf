import { createHash, createHmac, hash } from 'node:crypto'
import type { Hashing } from '../../src/ports/hashing.ts'

/** Digests by OpenSSL (BoringSSL on Bun). */
export const nodeHashing: Hashing = {
  sha256: data => hash('sha256', data, 'hex'),
  hmacSha256: (key, data) =>
    typeof data === 'string' && data.length <= MAX_SHORT_TEXT
      ? shortHmac(padsOf(key), data)
      : createHmac('sha256', key).update(data).digest('hex'),
}

/** SHA-256 takes its input, and an HMAC its key, in blocks of this many bytes. */
const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
/** UTF-16 units, each at most 3 bytes of UTF-8. Longer texts spend their time in hashing, not in making objects. */
const MAX_SHORT_TEXT = 16 * 1024

/** The two blocks that RFC 2104 derives of a key, each with room for what is hashed behind it. */
interface Pads {
  readonly inner: Buffer
  readonly outer: Buffer
}

const pads = new WeakMap<Uint8Array, Pads>()
/** Holds one text at a time, behind its inner block, and only while it is hashed. */
const scratch = Buffer.alloc(BLOCK_BYTES + 3 * MAX_SHORT_TEXT)

/** HMAC as RFC 2104 defines it, of two one-shot digests: making an Hmac object takes longer than both. */
function shortHmac({ inner, outer }: Pads, text: string): string {
  inner.copy(scratch)
  const end = BLOCK_BYTES + scratch.write(text, BLOCK_BYTES)
  outer.write(hash('sha256', scratch.subarray(0, end), 'hex'), BLOCK_BYTES, 'hex')
  scratch.fill(0, 0, end)
  return hash('sha256', outer, 'hex')
}

function padsOf(key: Uint8Array): Pads {
  let made = pads.get(key)
  if (made === undefined) {
    const bytes = key.length > BLOCK_BYTES ? createHash('sha256').update(key).digest() : key
    made = { inner: padOf(bytes, 0x36, 0), outer: padOf(bytes, 0x5c, DIGEST_BYTES) }
    pads.set(key, made)
  }
  return made
}

function padOf(key: Uint8Array, mask: number, room: number): Buffer {
  const pad = Buffer.alloc(BLOCK_BYTES + room)
  pad.set(key)
  for (let at = 0; at < BLOCK_BYTES; at++) pad[at] = (pad[at] ?? 0) ^ mask
  return pad
}

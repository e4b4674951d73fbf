import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import type { Hashing } from '../../src/ports/hashing.ts'

/** Digests by OpenSSL (BoringSSL on Bun). */
export const nodeHashing: Hashing = {
  sha256: data => hash('sha256', data, 'hex'),
  hmacSha256: (key, data) => createHmac('sha256', keyObjectOf(key)).update(data).digest('hex'),
}

const keyObjects = new WeakMap<Uint8Array, KeyObject>()

/** Making a key of bytes costs as much as the HMAC of a prompt, so it is done once for each. */
function keyObjectOf(key: Uint8Array): KeyObject {
  let object = keyObjects.get(key)
  if (!object) {
    object = createSecretKey(key)
    keyObjects.set(key, object)
  }
  return object
}

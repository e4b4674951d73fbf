import { createHmac, hash } from 'node:crypto'
import type { Hashing } from '../../src/ports/hashing.ts'

/** Digests by OpenSSL (BoringSSL on Bun). */
export const nodeHashing: Hashing = {
  sha256: data => hash('sha256', data, 'hex'),
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest('hex'),
}

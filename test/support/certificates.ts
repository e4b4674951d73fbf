import { createPrivateKey } from 'node:crypto'
import type { Made, Signer } from '../../adapters/cli/certs/make-certificate.ts'

/** A made authority, ready to sign. */
export function signerOf({ certificate, keyPem }: Made): Signer {
  return { certificate, key: createPrivateKey(keyPem) }
}

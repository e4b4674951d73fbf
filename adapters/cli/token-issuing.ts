import type { IssuerKeys } from '../../src/auth/issuer.ts'
import { createTokenIssuer, type IssuerResult, type ReadTokenIssuer } from '../../src/auth/token-issuer.ts'
import { CommandFailure } from './failure.ts'
import { readKeyFile } from './key-files.ts'

/**
 * Reads the private key for issuing over the admin API, each time anew.
 * @throws CommandFailure where no tokens could be issued now
 */
export async function openIssuer(path: string, own: IssuerKeys): Promise<ReadTokenIssuer> {
  const first = await readIssuer(path, own)
  if (!first.ok) throw new CommandFailure(`admin.issue.key: ${first.reason}`)
  return () => readIssuer(path, own)
}

/** The private key for issuing over the admin API: one whose public part this gateway checks tokens with. */
async function readIssuer(path: string, own: IssuerKeys): Promise<IssuerResult> {
  let jwk: unknown
  try {
    jwk = await readKeyFile(path)
  } catch (error) {
    if (error instanceof CommandFailure) return { ok: false, reason: error.message }
    throw error
  }
  const created = await createTokenIssuer(jwk)
  if (!created.ok) return { ok: false, reason: `${path} ${created.reason}` }
  const { keyId } = created.issuer
  // Its public part may have been written a moment ago.
  if (!own.keys?.has(keyId)) await own.reload()
  if (own.keys?.has(keyId)) return created
  return { ok: false, reason: `${path}: its public key is not in tokens.jwks, so its tokens would be refused` }
}

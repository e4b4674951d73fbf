import { MAX_MODEL_ID_CHARACTERS } from '../config/limits.ts'
import type { ClaimedLimits } from '../quota/limit.ts'

/** Who sends a request, as a verified token says. */
export interface Principal {
  /** The token's `jti`: names the token in records, never the token itself. */
  readonly tokenId: string
  /** The `iss`: the gateway's own, or one that it trusts. */
  readonly issuer: string
  readonly subject: string
  readonly team: string
  readonly app: string
  readonly env: string
  readonly scopes: ReadonlySet<string>
  /** Globs of model ids; `['*']` for a token without the claim, empty for one that may use none. */
  readonly models: readonly string[]
  /** Limits of its own, which count as far as the configuration lets them. */
  readonly limits?: ClaimedLimits
  /** The priority class that the token asks for; counts if the configuration names it. */
  readonly priority?: string
  /** Milliseconds since the Unix epoch. */
  readonly issuedAtMs: number
  /** Milliseconds since the Unix epoch; from then on the token is not valid. */
  readonly expiresAtMs: number
  /** The client certificate that the token is bound to: of no use to whoever does not have its key. */
  readonly certThumbprint?: string
}

/** Whether the token allows a model. Only `*` is special: any characters, also none. */
export function mayUseModel(principal: Pick<Principal, 'models'>, model: string): boolean {
  // A request may name anything of any length; what is longer than any model's id is no model.
  return model.length <= MAX_MODEL_ID_CHARACTERS && principal.models.some(glob => matchesGlob(glob, model))
}

/**
 * Looks for the literal pieces between the stars from left to right, each once: taking the first place of a piece leaves
 * the most room for the next, so nothing is ever tried again.
 */
function matchesGlob(glob: string, text: string): boolean {
  const [first = '', ...rest] = glob.split('*')
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first)) return false
  let from = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, from)
    if (found < 0) return false
    from = found + piece.length
  }
  return text.length - last.length >= from && text.endsWith(last)
}

import { CATALOGUE, type ErrorCode } from './catalogue.ts'

/** A request that ends early, as a value. Bugs are exceptions; this is not one. */
export interface Refusal {
  readonly code: ErrorCode
  /** The field of the request that is at fault, e.g. `messages[3].content`. */
  readonly param?: string
  /** A sentence for the caller in place of the catalogue's. Never holds a credential, a prompt or an internal name. */
  readonly message?: string
  /** Why, for the audit log and operators only. Never holds a credential or a prompt. */
  readonly reason?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The body of an error answer in the shape of the OpenAI API: `{ error: { message, type, param, code } }`. */
export function openAiError(refusal: Refusal): {
  error: { message: string; type: string; param: string | null; code: string }
} {
  const entry = CATALOGUE[refusal.code]
  return {
    error: {
      message: refusal.message ?? entry.message,
      type: entry.type,
      param: refusal.param ?? null,
      code: refusal.code,
    },
  }
}

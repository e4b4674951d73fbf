import { CATALOGUE, type CatalogueEntry } from './catalogue.ts'
import type { Refusal } from './refusal.ts'

/** Anthropic's name for each status of the catalogue (Claude API reference, "Errors"). */
const TYPES: Readonly<Record<CatalogueEntry['status'], string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  408: 'timeout_error',
  409: 'invalid_request_error',
  413: 'request_too_large',
  414: 'invalid_request_error',
  415: 'invalid_request_error',
  429: 'rate_limit_error',
  431: 'invalid_request_error',
  500: 'api_error',
  501: 'api_error',
  502: 'api_error',
  503: 'overloaded_error',
  504: 'timeout_error',
}

/** The body of an error answer in the shape of Anthropic's Messages API, with the catalogue's `code` and `param` beside. */
export function anthropicError(refusal: Refusal): {
  type: 'error'
  error: { type: string; message: string; param: string | null; code: string }
} {
  const entry = CATALOGUE[refusal.code]
  const message = refusal.message ?? entry.message
  return {
    type: 'error',
    error: { type: TYPES[entry.status], message, param: refusal.param ?? null, code: refusal.code },
  }
}

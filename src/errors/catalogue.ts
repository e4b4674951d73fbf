import { MAX_STAND_INS } from '../config/limits.ts'

/** The HTTP status, the OpenAI `type`, the public sentence and whether repeating the request can help. */
export interface CatalogueEntry {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 414 | 415 | 429 | 431 | 500 | 501 | 502 | 503 | 504
  readonly type: string
  readonly message: string
  readonly retry: boolean
}

/** Every refusal and failure a caller can meet. The keys are the stable API: the `code` of the answer. */
export const CATALOGUE = {
  invalid_token: {
    status: 401,
    type: 'authentication_error',
    message: 'The access token is missing or not valid. Send a current one as "Authorization: Bearer <token>".',
    retry: false,
  },
  keys_unavailable: {
    status: 503,
    type: 'server_error',
    message: 'Access tokens of this issuer cannot be checked at the moment. Try again shortly.',
    retry: true,
  },
  too_many_failures: {
    status: 429,
    type: 'authentication_error',
    message: 'Too many failed authentications. Wait, then send a valid token.',
    retry: true,
  },
  scope_missing: {
    status: 403,
    type: 'permission_error',
    message: 'This token does not have the scope that this endpoint needs. Ask for a token with it.',
    retry: false,
  },
  model_forbidden: {
    status: 403,
    type: 'permission_error',
    message: 'This token may not use this model. GET /v1/models lists those it may use.',
    retry: false,
  },
  model_not_found: {
    status: 404,
    type: 'invalid_request_error',
    message: 'This model does not exist here. GET /v1/models lists the models.',
    retry: false,
  },
  not_found: {
    status: 404,
    type: 'invalid_request_error',
    message: 'There is nothing at this path.',
    retry: false,
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    message: 'This path does not take this method.',
    retry: false,
  },
  malformed_request: {
    status: 400,
    type: 'invalid_request_error',
    message: 'This is not a request of HTTP/1.1 that can be read in one way only.',
    retry: false,
  },
  url_too_long: {
    status: 414,
    type: 'invalid_request_error',
    message: 'The URL is too long.',
    retry: false,
  },
  too_many_headers: {
    status: 431,
    type: 'invalid_request_error',
    message: 'The request has too many header fields.',
    retry: false,
  },
  grant_forbidden: {
    status: 403,
    type: 'permission_error',
    message: 'A token cannot be given what yours does not have, or what this gateway does not issue.',
    retry: false,
  },
  action_forbidden: {
    status: 403,
    type: 'permission_error',
    message: 'The configuration does not allow this action.',
    retry: false,
  },
  action_in_progress: {
    status: 409,
    type: 'invalid_request_error',
    message: 'Another action is in progress on this model server. Try again when it is over.',
    retry: true,
  },
  searches_in_progress: {
    status: 429,
    type: 'rate_limit_error',
    message: 'Other searches of the audit log are in progress. Try again when they are over.',
    retry: true,
  },
  not_offered: {
    status: 501,
    type: 'invalid_request_error',
    message: 'This is not offered here.',
    retry: false,
  },
  request_timeout: {
    status: 408,
    type: 'invalid_request_error',
    message: 'The request body did not arrive in time.',
    retry: true,
  },
  body_too_large: {
    status: 413,
    type: 'invalid_request_error',
    message: 'The request body is too large.',
    retry: false,
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    message: 'Send the request body as application/json, without content encoding.',
    retry: false,
  },
  invalid_json: {
    status: 400,
    type: 'invalid_request_error',
    message: 'The request body is not valid JSON.',
    retry: false,
  },
  body_too_deep: {
    status: 400,
    type: 'invalid_request_error',
    message: 'The request body is nested too deeply.',
    retry: false,
  },
  invalid_value: {
    status: 400,
    type: 'invalid_request_error',
    message: 'A field of the request has a wrong value.',
    retry: false,
  },
  missing_field: {
    status: 400,
    type: 'invalid_request_error',
    message: 'A required field is missing.',
    retry: false,
  },
  unknown_field: {
    status: 400,
    type: 'invalid_request_error',
    message: 'The request has a field that is not known here.',
    retry: false,
  },
  field_forbidden: {
    status: 400,
    type: 'invalid_request_error',
    message: 'The request has a field that is not allowed here.',
    retry: false,
  },
  field_unsupported: {
    status: 400,
    type: 'invalid_request_error',
    message: 'The request has a field that the servers of this model do not take.',
    retry: false,
  },
  endpoint_unsupported: {
    status: 400,
    type: 'invalid_request_error',
    message: 'This model is not served at this endpoint.',
    retry: false,
  },
  prompt_too_long: {
    status: 400,
    type: 'invalid_request_error',
    message: 'The prompt is longer than this gateway accepts for this model.',
    retry: false,
  },
  guard_injection: {
    status: 400,
    type: 'policy_error',
    message: 'The prompt was refused: it contains text that tries to override instructions.',
    retry: false,
  },
  guard_pii: {
    status: 400,
    type: 'policy_error',
    message: 'The prompt was refused: it contains personal data. Remove it and send the request again.',
    retry: false,
  },
  guard_secrets: {
    status: 400,
    type: 'policy_error',
    message:
      'The prompt was refused: it contains a secret such as a key or password. Remove it, and rotate the secret.',
    retry: false,
  },
  guard_rule: {
    status: 400,
    type: 'policy_error',
    message: 'The prompt was refused by a rule of this company.',
    retry: false,
  },
  guard_too_many_values: {
    status: 400,
    type: 'policy_error',
    message: `The prompt was refused: it has more than ${MAX_STAND_INS} different values that are sent under pseudonyms. Send it in parts.`,
    retry: false,
  },
  guard_validator: {
    status: 400,
    type: 'policy_error',
    message: 'The prompt was refused by a validator.',
    retry: false,
  },
  guard_output_blocked: {
    status: 400,
    type: 'policy_error',
    message: 'The answer was withheld: it contains text that the policy does not let out.',
    retry: false,
  },
  guard_unavailable: {
    status: 503,
    type: 'server_error',
    message: 'A validator that has to see this text does not answer, so it was not passed on. Try again shortly.',
    retry: true,
  },
  guard_failed: {
    status: 503,
    type: 'server_error',
    message: 'The text could not be checked, so it was not passed on.',
    retry: true,
  },
  rate_limit_exceeded: {
    status: 429,
    type: 'rate_limit_error',
    message: 'A limit is used up. Wait as long as the retry-after header says.',
    retry: true,
  },
  quota_unavailable: {
    status: 503,
    type: 'server_error',
    message: 'The quota store does not answer, so the request was not admitted. Try again shortly.',
    retry: true,
  },
  registry_unavailable: {
    status: 503,
    type: 'server_error',
    message: 'The registry of tokens does not answer. Try again shortly.',
    retry: true,
  },
  revocations_unavailable: {
    status: 503,
    type: 'server_error',
    message:
      'It cannot be found out whether this token was revoked, so the request was not admitted. Try again shortly.',
    retry: true,
  },
  audit_unavailable: {
    status: 503,
    type: 'server_error',
    message: 'The audit log cannot be written, so the request was not served.',
    retry: true,
  },
  team_queue_full: {
    status: 429,
    type: 'rate_limit_error',
    message: 'Too many requests of your team wait for this model. Wait as long as the retry-after header says.',
    retry: true,
  },
  queue_full: {
    status: 503,
    type: 'upstream_error',
    message: 'Every server of this model is busy, and too many requests wait for them. Try again later.',
    retry: true,
  },
  queue_timeout: {
    status: 503,
    type: 'upstream_error',
    message: 'No server of this model became free for this request in time. Try again later.',
    retry: true,
  },
  upstream_busy: {
    status: 503,
    type: 'upstream_error',
    message: 'The model server is busy. Try again shortly.',
    retry: true,
  },
  upstream_untrusted: {
    status: 502,
    type: 'upstream_error',
    message: 'There is no trusted connection to the model server. Tell whoever runs this gateway.',
    retry: false,
  },
  upstream_unavailable: {
    status: 503,
    type: 'upstream_error',
    message: 'The model server cannot be reached. Try again shortly.',
    retry: true,
  },
  upstream_timeout: {
    status: 504,
    type: 'upstream_error',
    message: 'The model server did not answer in time.',
    retry: true,
  },
  upstream_failed: {
    status: 502,
    type: 'upstream_error',
    message: 'The model server failed or broke off its answer.',
    retry: true,
  },
  upstream_invalid: {
    status: 502,
    type: 'upstream_error',
    message: 'The model server gave an answer that cannot be checked, so it was not passed on.',
    retry: false,
  },
  upstream_refused: {
    status: 400,
    type: 'invalid_request_error',
    message: 'The model server refused the request.',
    retry: false,
  },
  shutting_down: {
    status: 503,
    type: 'server_error',
    message: 'This instance is shutting down. Send the request again.',
    retry: true,
  },
  internal_error: {
    status: 500,
    type: 'server_error',
    message: 'Something went wrong inside the gateway. The request id identifies the case.',
    retry: false,
  },
} as const satisfies Record<string, CatalogueEntry>

export type ErrorCode = keyof typeof CATALOGUE

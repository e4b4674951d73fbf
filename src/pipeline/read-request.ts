import type { JsonValue } from '../audit/canonical-json.ts'
import { promptHmac } from '../audit/hmac.ts'
import { MAX_JSON_DEPTH } from '../config/limits.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Endpoint } from '../openai/endpoints.ts'
import { readRequestBody } from '../openai/read-body.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

const JSON_TYPE = /^application\/json\s*(;|$)/i

/** What does it want? Reads the body within its bounds, checks every field, takes the prompt's keyed hash. Sets `body`. */
export async function readRequest(exchange: Exchange, services: Services): Promise<Refusal | undefined> {
  const { config } = services
  if (!JSON_TYPE.test(exchange.contentType ?? '') || (exchange.contentEncoding ?? 'identity') !== 'identity') {
    return { code: 'unsupported_media_type' }
  }
  const { maxBodyBytes, unknownFields, mediaHosts } = config.request
  const read = await exchange.connection.readBody(maxBodyBytes, config.limits.bodyTimeoutMs)
  if (!read.ok) {
    if (read.reason === 'timeout') return { code: 'request_timeout' }
    if (read.reason === 'aborted') return { code: 'request_timeout', reason: 'caller_left' }
    return { code: 'body_too_large', message: `The request body has more than ${maxBodyBytes} bytes.` }
  }
  const result = readRequestBody(read.bytes, exchange.endpoint, {
    maxDepth: MAX_JSON_DEPTH,
    unknownFields,
    mediaHosts,
  })
  if (!result.ok) return result.refusal
  exchange.body = result.body
  exchange.promptHmac = promptHmac(services.hashing, services.hmac.key, promptOf(exchange.endpoint, result.body.fields))
  return undefined
}

/** What the caller wrote, apart from parameters: what the record's keyed hash stands for. */
function promptOf(endpoint: Endpoint, fields: Readonly<Record<string, unknown>>): JsonValue {
  const [only, ...more] = endpoint.prompt
  if (more.length === 0) return (only === undefined ? null : fields[only]) as JsonValue
  return Object.fromEntries(endpoint.prompt.map(name => [name, fields[name] ?? null])) as JsonValue
}

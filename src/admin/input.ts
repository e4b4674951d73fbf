import * as v from 'valibot'
import { DEFAULT_BODY_TIMEOUT_MS, MAX_ADMIN_BODY_BYTES, MAX_JSON_DEPTH } from '../config/limits.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import type { Refusal } from '../errors/refusal.ts'
import { isDeeperThan } from '../json/depth.ts'
import type { Connection } from '../ports/transport.ts'

export type Input<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal }

const JSON_TYPE = /^application\/json\s*(;|$)/i
const MAX_SHOWN_CHARACTERS = 64

/** Checks a value; the refusal names the field that is at fault, and never its value. */
export function checked<T extends v.GenericSchema>(schema: T, value: unknown): Input<v.InferOutput<T>> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return { ok: true, value: result.output }
  const [issue] = result.issues
  const param = (issue.path ?? []).map(({ key }) => String(key)).join('.')
  if (issue.type !== 'strict_object') return fault('invalid_value', param, issue.message)
  if (issue.expected === 'never') return fault('unknown_field', param, 'is not known here; remove it')
  return issue.received === 'undefined'
    ? fault('missing_field', param, 'is required')
    : fault('invalid_value', param, 'should be an object')
}

/** Reads the fields of a query, each given once. */
export function readQuery<T extends v.GenericSchema>(schema: T, url: string): Input<v.InferOutput<T>> {
  const fields = new URL(url).searchParams
  const twice = [...fields.keys()].find((name, index, all) => all.indexOf(name) < index)
  if (twice !== undefined) return fault('invalid_value', twice, 'is given twice')
  return checked(schema, Object.fromEntries(fields))
}

/** Reads a JSON body within the bounds of the admin API. */
export async function readJson<T extends v.GenericSchema>(
  schema: T,
  connection: Connection,
): Promise<Input<v.InferOutput<T>>> {
  const isJson = JSON_TYPE.test(connection.header('content-type') ?? '')
  if (!isJson || (connection.header('content-encoding') ?? 'identity') !== 'identity') {
    return { ok: false, refusal: { code: 'unsupported_media_type' } }
  }
  const read = await connection.readBody(MAX_ADMIN_BODY_BYTES, DEFAULT_BODY_TIMEOUT_MS)
  if (!read.ok)
    return { ok: false, refusal: { code: read.reason === 'too_large' ? 'body_too_large' : 'request_timeout' } }
  if (isDeeperThan(read.bytes, MAX_JSON_DEPTH)) return { ok: false, refusal: { code: 'body_too_deep' } }
  const parsed = parse(read.bytes)
  if (!parsed.ok) return parsed
  const isObject = typeof parsed.value === 'object' && parsed.value !== null && !Array.isArray(parsed.value)
  if (isObject) return checked(schema, parsed.value)
  return { ok: false, refusal: { code: 'invalid_json', message: 'The request body must be a JSON object.' } }
}

function parse(bytes: Uint8Array): Input<unknown> {
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
  } catch {
    return { ok: false, refusal: { code: 'invalid_json' } }
  }
}

function fault(code: ErrorCode, name: string, what: string): Input<never> {
  const param = name.length > MAX_SHOWN_CHARACTERS ? `${name.slice(0, MAX_SHOWN_CHARACTERS - 3)}...` : name
  return { ok: false, refusal: { code, param, message: `The field "${param}" ${what}.` } }
}

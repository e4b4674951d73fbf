import * as v from 'valibot'
import type { Refusal } from '../errors/refusal.ts'
import { REFUSED_FIELDS } from '../firewall/kinds.ts'
import { isDeeperThan } from '../json/depth.ts'
import type { Endpoint } from './endpoints.ts'
import { forbiddenImage, NOT_INLINE } from './media.ts'
import { dropSdkAdditions, SDK_ADDITIONS } from './sdk-additions.ts'

/** A request body that passed every check: nothing in it is unknown. */
export interface RequestBody {
  /** Its size as it came. */
  readonly bytes: number
  readonly model: string
  readonly stream: boolean
  /** Fields as they go upstream; owned by the request, so that stages may rewrite texts in place. */
  readonly fields: Record<string, unknown>
}

export type ReadResult =
  | { readonly ok: true; readonly body: RequestBody }
  | { readonly ok: false; readonly refusal: Refusal }

export interface ReadOptions {
  readonly maxDepth: number
  readonly unknownFields: 'refuse' | 'drop'
  /** Hosts that the model server may be sent to for images. */
  readonly mediaHosts: readonly string[]
}

/** Unknown fields inside one field that are dropped at the most: each costs one more check of it. */
const MAX_DROPPED = 32

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Parses and checks a body against the endpoint's fields. Every refusal names the field. */
export function readRequestBody(bytes: Uint8Array, endpoint: Endpoint, options: ReadOptions): ReadResult {
  if (isDeeperThan(bytes, options.maxDepth)) {
    return refuse({ code: 'body_too_deep', message: `The request body is nested more than ${options.maxDepth} deep.` })
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(decoder.decode(bytes))
  } catch {
    return refuse({ code: 'invalid_json' })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return refuse({ code: 'invalid_json', message: 'The request body must be a JSON object.' })
  }
  const given = parsed as Readonly<Record<string, unknown>>
  const fields: Record<string, unknown> = {}
  for (const name of Object.keys(given)) {
    const value = given[name]
    const schema = Object.hasOwn(endpoint.fields, name) ? endpoint.fields[name] : undefined
    if (!schema) {
      const forbidden = REFUSED_FIELDS.get(name)
      if (forbidden) return refuse(fault('field_forbidden', name, `is not allowed: ${forbidden}`))
      if (options.unknownFields === 'drop') continue
      return refuse(fault('unknown_field', name, 'is not known here; remove it'))
    }
    // As in the OpenAI API, null says the same as leaving the field out.
    if (value === null) continue
    const issue = check(schema, value, options)
    if (issue) return refuse(schemaFault(name, issue))
    fields[name] = value
  }
  const missing = endpoint.required.find(name => !(name in fields))
  if (missing) return refuse(fault('missing_field', missing, 'is required'))
  const image = forbiddenImage(fields, options.mediaHosts)
  if (image) return refuse(fault('field_forbidden', image, NOT_INLINE))
  return {
    ok: true,
    body: { bytes: bytes.length, model: fields['model'] as string, stream: fields['stream'] === true, fields },
  }
}

/** The first fault of a value; undefined for none. What SDKs add, and under `drop` all unknown fields, is taken out of it. */
function check(
  schema: v.GenericSchema,
  value: unknown,
  { unknownFields }: ReadOptions,
): v.BaseIssue<unknown> | undefined {
  let cleaned = false
  for (let dropped = 0; ; dropped++) {
    const issue = v.safeParse(schema, value, { abortEarly: true }).issues?.[0]
    const unknown = issue && isUnknownField(issue) ? issue.path?.at(-1) : undefined
    if (!unknown || dropped === MAX_DROPPED) return issue
    if (!cleaned && SDK_ADDITIONS.has(unknown.key)) {
      cleaned = true
      dropSdkAdditions(value)
      continue
    }
    if (unknownFields === 'refuse') return issue
    delete (unknown.input as Record<string, unknown>)[String(unknown.key)]
  }
}

function isUnknownField(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === 'strict_object' && issue.expected === 'never'
}

function schemaFault(name: string, issue: v.BaseIssue<unknown>): Refusal {
  const path = (issue.path ?? []).reduce(
    (text, { key }) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${shorten(String(key))}`),
    name,
  )
  if (isUnknownField(issue)) return fault('unknown_field', path, 'is not known here; remove it')
  if (issue.received === 'undefined') return fault('missing_field', path, 'is required')
  const code = issue.message === NOT_INLINE ? 'field_forbidden' : 'invalid_value'
  // valibot's own messages quote the value, which may be private: only ours are passed on.
  const own = issue.message.startsWith('Invalid') ? 'has a wrong value' : issue.message
  return fault(code, path, own)
}

function fault(code: Refusal['code'], name: string, what: string): Refusal {
  const param = shorten(name)
  return { code, param, message: `The field "${param}" ${what}.` }
}

function shorten(name: string): string {
  return name.length > 64 ? `${name.slice(0, 61)}...` : name
}

function refuse(refusal: Refusal): ReadResult {
  return { ok: false, refusal }
}

/** A value that JSON can carry. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined }

/**
 * The JSON Canonicalization Scheme of RFC 8785: no white space, keys in the order of their UTF-16 units. ECMAScript's
 * own number and string forms are the ones it asks for. Keys with `undefined` are left out. Recurses as deep as the
 * value is nested, so the caller bounds the depth. Lone surrogates stay `\ud800` escapes: unlike RFC 8785, which
 * rejects them, so that every prompt a caller can send has a form.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members: string[] = []
  for (const key of Object.keys(value).sort()) {
    const member = value[key]
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`)
  }
  return `{${members.join(',')}}`
}

/** `Array.isArray` does not narrow a read-only array. */
const isArray: (value: JsonValue) => value is readonly JsonValue[] = Array.isArray

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
  let json = ''
  if (isArray(value)) {
    for (const item of value) json += json === '' ? canonicalJson(item) : `,${canonicalJson(item)}`
    return `[${json}]`
  }
  for (const key of sorted(Object.keys(value))) {
    const member = value[key]
    if (member === undefined) continue
    if (json !== '') json += ','
    json += `${JSON.stringify(key)}:${canonicalJson(member)}`
  }
  return `{${json}}`
}

/** In the order of UTF-16 units. Most objects have few keys, and those in order already. */
function sorted(keys: string[]): string[] {
  for (let at = 1; at < keys.length; at++) {
    if ((keys[at - 1] as string) > (keys[at] as string)) return keys.sort()
  }
  return keys
}

/** `Array.isArray` does not narrow a read-only array. */
const isArray: (value: JsonValue) => value is readonly JsonValue[] = Array.isArray

import { guardJsonText } from '../guard/json-text.ts'

/** Gives the text that is to stand in place of `text`. `place` is the path of the field, e.g. `messages[3].content`. */
export type Visit = (text: string, place: string) => string

/** Fields whose values are fixed words of the API or of JSON Schema, when they are words at all. */
const FIXED = new Set(['role', 'type', 'detail', 'format', 'encoding_format', 'reasoning_effort'])
const WORD = /^[a-z_]{1,32}$/
/** Media in base64: nothing that could be read as text. */
const MEDIA = new Set(['url', 'data', 'image_url'])
/** Where media stand. Elsewhere, such as in a schema, the same names are the caller's to choose. */
const MEDIA_PART =
  /^(?:messages|input)\[\d+\](?:\.(?:content|output)\[\d+\]){1,2}(?:\.(?:image_url|input_audio|source))?$/
/** Objects in which every key is the caller's to choose, and so a text like any other. */
const FREE_KEYS = /(?:^metadata|\.parameters|\.schema|\.input_schema|\]\.input)$/

/**
 * Visits every text of a request, wherever it stands: all messages, parts, tool results and descriptions, schemas,
 * prompts, inputs, and the keys of free objects. By exclusion, not by list, so that a new field is visited unless it is known to hold no text.
 * Texts are replaced in place.
 */
export function visitTexts(fields: Record<string, unknown>, visit: Visit): void {
  visitObject(fields, '', visit, false)
}

function visitObject(object: Record<string, unknown>, path: string, visit: Visit, free: boolean): void {
  const inMedia = !free && MEDIA_PART.test(path)
  for (const [key, value] of Object.entries(object)) {
    if (FIXED.has(key) && typeof value === 'string' && WORD.test(value)) continue
    if (path === '' && key === 'model') continue
    if (inMedia && MEDIA.has(key)) continue
    const name = free ? visit(key, path) : key
    const place = path === '' ? name : `${path}.${name}`
    if (name !== key) delete object[key]
    object[name] = visitValue(value, place, key, visit, free || FREE_KEYS.test(place))
  }
}

function visitValue(value: unknown, place: string, key: string, visit: Visit, free: boolean): unknown {
  if (typeof value === 'string') {
    return key === 'arguments' ? guardJsonText(value, part => visit(part, place)) : visit(value, place)
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) value[index] = visitValue(item, `${place}[${index}]`, key, visit, free)
  } else if (typeof value === 'object' && value !== null) {
    visitObject(value as Record<string, unknown>, place, visit, free)
  }
  return value
}

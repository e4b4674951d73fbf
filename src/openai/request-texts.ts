import { guardJsonText } from '../guard/json-text.ts'

/** Gives the text that is to stand in place of `text`. `place` is the path of the field, e.g. `messages[3].content`. */
export type Visit = (text: string, place: string) => string

/** Fields whose values are fixed words of the API or of JSON Schema, when they are words at all. */
const FIXED = new Set(['role', 'type', 'detail', 'format', 'encoding_format', 'reasoning_effort'])
const WORD = /^[a-z_]{1,32}$/
/** Media in base64: nothing that could be read as text. */
const MEDIA = new Set(['url', 'data'])

/**
 * Visits every text of a request, wherever it stands: all messages, parts, tool results and descriptions, schemas,
 * prompts, inputs. By exclusion, not by list, so that a new field is visited unless it is known to hold no text.
 * Texts are replaced in place.
 */
export function visitTexts(fields: Record<string, unknown>, visit: Visit): void {
  visitObject(fields, '', visit)
}

function visitObject(object: Record<string, unknown>, path: string, visit: Visit): void {
  const inMedia = path.endsWith('image_url') || path.endsWith('input_audio')
  for (const [key, value] of Object.entries(object)) {
    if (FIXED.has(key) && typeof value === 'string' && WORD.test(value)) continue
    if (path === '' && key === 'model') continue
    if (inMedia && MEDIA.has(key)) continue
    const place = path === '' ? key : `${path}.${key}`
    object[key] = visitValue(value, place, key, visit)
  }
}

function visitValue(value: unknown, place: string, key: string, visit: Visit): unknown {
  if (typeof value === 'string') {
    return key === 'arguments' ? guardJsonText(value, part => visit(part, place)) : visit(value, place)
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) value[index] = visitValue(item, `${place}[${index}]`, key, visit)
  } else if (typeof value === 'object' && value !== null) {
    visitObject(value as Record<string, unknown>, place, visit)
  }
  return value
}

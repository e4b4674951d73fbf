import { decodeString, stringEnd } from './strings.ts'

/**
 * The path of the value at `place` in the JSON document that begins at `start`, such as `.choices[0].stop_reason`. For
 * documents that a walk has found to be sound.
 */
export function pathOf(bytes: Uint8Array, start: number, place: number): string {
  /** Of each open container: the last key, or the number of the item. */
  const path: (string | number)[] = []
  for (let at = start; at < place; at++) {
    const byte = bytes[at]
    if (byte === 0x22) {
      const end = Math.abs(stringEnd(bytes, at + 1, bytes.length))
      if (end === 0 || end >= place) break
      if (typeof path.at(-1) === 'string') {
        let next = end + 1
        while (bytes[next] === 0x20 || bytes[next] === 0x0a || bytes[next] === 0x0d || bytes[next] === 0x09) next++
        if (bytes[next] === 0x3a)
          path[path.length - 1] = decodeString(bytes, { start: at + 1, end, simple: false }) ?? ''
      }
      at = end
    } else if (byte === 0x7b) path.push('')
    else if (byte === 0x5b) path.push(0)
    else if (byte === 0x7d || byte === 0x5d) path.pop()
    else if (byte === 0x2c && typeof path.at(-1) === 'number') path[path.length - 1] = Number(path.at(-1)) + 1
  }
  return path.map(step => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
}

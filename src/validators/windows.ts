/** What two windows share, as a part of their size: what stands across a cut is whole in one of them. */
const OVERLAP = 1 / 4

export function overlapOf(size: number): number {
  return Math.floor(size * OVERLAP)
}

/** Cuts a text into windows of at most `size` UTF-16 units that overlap by a quarter. No pair of surrogates is cut. */
export function cutWindows(text: string, size: number): string[] {
  if (text.length <= size) return text === '' ? [] : [text.toWellFormed()]
  const windows: string[] = []
  const step = size - overlapOf(size)
  for (let from = 0; ; from += step) {
    const start = inside(text, from)
    const end = start + size
    if (end >= text.length) return [...windows, text.slice(start).toWellFormed()]
    windows.push(text.slice(start, inside(text, end)).toWellFormed())
  }
}

/**
 * The windows of a list of texts: each text by itself, so that a short one is not lost in what stands around it; where
 * that makes too many, neighbours together. Null where they are too many all the same.
 */
export function windowsOf(texts: readonly string[], size: number, max: number): string[] | null {
  const apart = texts.flatMap(text => cutWindows(text, size))
  if (apart.length <= max) return apart
  const packed = pack(texts, size).flatMap(text => cutWindows(text, size))
  return packed.length <= max ? packed : null
}

/** Joins neighbours from the front, so that a conversation that grows keeps what it had in front. */
function pack(texts: readonly string[], size: number): string[] {
  const packed: string[] = []
  let open = ''
  for (const text of texts) {
    const joined = open === '' ? text : `${open}\n${text}`
    if (joined.length > size && open !== '') {
      packed.push(open)
      open = text
    } else {
      open = joined
    }
  }
  return [...packed, open]
}

/** `at`, or one less where it would stand between the halves of a pair. */
function inside(text: string, at: number): number {
  const before = text.charCodeAt(at - 1)
  return before >= 0xd800 && before <= 0xdbff ? at - 1 : at
}

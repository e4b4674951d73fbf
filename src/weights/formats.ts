/** What a file is, as far as it matters here: `pickle` and `zip-pickle` run code when they are loaded. */
export const FORMATS = ['safetensors', 'gguf', 'pickle', 'zip-pickle', 'other'] as const
export type WeightFormat = (typeof FORMATS)[number]

export function isExecutable(format: WeightFormat): boolean {
  return format === 'pickle' || format === 'zip-pickle'
}

/** How much of a file's beginning is looked at. */
export const HEAD_BYTES = 4096

const PICKLE_NAME = /\.(?:pkl|pickle|joblib|dill|p)$/i
/** Names that are loaded as a pickle unless the content is known to be something else. */
const CHECKPOINT_NAME = /\.(?:pt|pth|ckpt)$/i
const MAX_PICKLE_PROTOCOL = 5
/** Protocol 0 is text: what most files of it begin with. Latin-1, one character a byte. */
const TEXT_PICKLE = /^(?:\(*[dlt]p?\d*\n|\(*c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n|\(+i[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n)/

/**
 * Tells by name and content what a file is. Whoever wants a pickle taken for data can name it as they like, so the content
 * counts first; where only the name speaks for a pickle, it counts.
 * @param head the first `HEAD_BYTES` or fewer
 * @param entries the names in its central directory, where it is a ZIP; `unreadable` where that is not well formed
 */
export function formatOf(
  name: string,
  head: Uint8Array,
  size: number,
  entries: readonly string[] | 'unreadable' | undefined,
): WeightFormat {
  // torch.save, and numpy's archives of objects: a pickle among other entries.
  const holdsPickle =
    entries === 'unreadable' ? startsWith(head, 'PK') : entries?.some(entry => PICKLE_NAME.test(entry))
  if (holdsPickle === true) return 'zip-pickle'
  const isSafetensors = startsSafetensors(head, size)
  // The length of a safetensors header may look like the beginning of a pickle; under another name it would be loaded as one.
  if (isSafetensors && name.toLowerCase().endsWith('.safetensors')) return 'safetensors'
  if (head[0] === 0x80 && (head[1] ?? 255) <= MAX_PICKLE_PROTOCOL) return 'pickle'
  if (TEXT_PICKLE.test(String.fromCharCode(...head.subarray(0, 512)))) return 'pickle'
  if (isSafetensors) return 'safetensors'
  if (startsWith(head, 'GGUF')) return 'gguf'
  if (PICKLE_NAME.test(name)) return 'pickle'
  if (CHECKPOINT_NAME.test(name)) return entries === undefined ? 'pickle' : 'zip-pickle'
  return 'other'
}

/** Eight bytes with the length of the header, little-endian, then the header: JSON, and no longer than the file. */
function startsSafetensors(head: Uint8Array, size: number): boolean {
  if (head.length < 9 || head[8] !== 0x7b) return false
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true)
  return length >= 2n && length <= BigInt(size) - 8n
}

function startsWith(head: Uint8Array, text: string): boolean {
  return [...text].every((letter, index) => head[index] === letter.charCodeAt(0))
}

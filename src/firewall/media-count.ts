import type { Excess } from './excess.ts'
import type { Limits } from './limits.ts'

/** Where the parts of the wires hold media: a text by itself, or inside an object. */
const PLACES = [
  ['image_url', 'url'],
  ['input_audio', 'data'],
  ['source', 'data'],
  ['source', 'url'],
] as const

/** Counts the images and sounds of a conversation, and looks at the size of each. Linear, and reads no medium. */
export class MediaCount {
  private readonly limits: Pick<Limits, 'media' | 'mediaSize'>
  /** Seen so far. */
  count = 0

  constructor(limits: Pick<Limits, 'media' | 'mediaSize'>) {
    this.limits = limits
  }

  /** Looks through messages, their parts, and the parts of tool results. */
  list(list: readonly unknown[], place: string): Excess | undefined {
    for (let at = 0; at < list.length; at++) {
      const item = list[at]
      if (typeof item !== 'object' || item === null) continue
      const part = item as Readonly<Record<string, unknown>>
      const found =
        this.medium(part, place, at) ??
        this.nested(part['content'], place, at, 'content') ??
        this.nested(part['output'], place, at, 'output')
      if (found) return found
    }
    return undefined
  }

  private nested(value: unknown, place: string, at: number, key: string): Excess | undefined {
    return Array.isArray(value) ? this.list(value, `${place}[${at}].${key}`) : undefined
  }

  private medium(part: Readonly<Record<string, unknown>>, place: string, at: number): Excess | undefined {
    for (const [key, inner] of PLACES) {
      const holder = part[key]
      if (holder === undefined) continue
      const isText = typeof holder === 'string'
      const value = isText ? holder : (holder as Readonly<Record<string, unknown>> | null)?.[inner]
      if (typeof value !== 'string') continue
      const param = `${place}[${at}].${isText ? key : `${key}.${inner}`}`
      const { media, mediaSize } = this.limits
      if (++this.count > media) return { param, amount: this.count, what: 'images and sounds up to it', limit: media }
      const amount = decodedBytes(value)
      return amount > mediaSize ? { param, amount, what: 'bytes', limit: mediaSize } : undefined
    }
    return undefined
  }
}

/** Bytes of base64, alone or in a `data:` URL; 0 for an address. */
function decodedBytes(value: string): number {
  if (/^https?:/i.test(value)) return 0
  const start = value.startsWith('data:') ? value.indexOf(',') + 1 : 0
  return Math.floor(((value.length - start) * 3) / 4)
}

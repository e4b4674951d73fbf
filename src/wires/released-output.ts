import type { EventChannel, OutputKeeper } from './event-wire.ts'

/** Characters kept of one answer: of a longer one, the last event says nothing about the output. */
const MAX_KEPT = 4 * 1024 * 1024

type Json = Readonly<Record<string, unknown>>

interface Item {
  fields: Json
  isDone: boolean
  /** The texts that have been let out, by channel and part. */
  readonly texts: Map<string, { readonly channel: EventChannel; pieces: string[] }>
}

/** The items of a Responses answer as they have been let out. */
export class ReleasedOutput implements OutputKeeper {
  private readonly items = new Map<unknown, Item>()
  private kept = 0

  item(fields: Json, isDone: boolean, size: number): void {
    this.kept += size
    if (this.kept > MAX_KEPT) return
    const texts = this.items.get(fields['id'])?.texts ?? new Map<string, never>()
    this.items.set(fields['id'], { fields, isDone, texts })
  }

  grow(channel: EventChannel, text: string): void {
    this.kept += text.length
    const item = this.items.get(channel.keys['item_id'])
    if (!item || text === '' || this.kept > MAX_KEPT) return
    const { content_index: content = 0, summary_index: summary = 0 } = channel.keys
    const key = `${channel.type} ${content} ${summary}`
    const known = item.texts.get(key)
    if (known) known.pieces.push(text)
    else item.texts.set(key, { channel, pieces: [text] })
  }

  get list(): readonly Json[] {
    if (this.kept > MAX_KEPT) return []
    return [...this.items.values()].map(({ fields, isDone, texts }) => {
      if (isDone) return fields
      const parts = [...texts.values()].map(({ channel, pieces }) => ({ channel, text: pieces.join('') }))
      const of = (match: (channel: EventChannel) => boolean) => parts.filter(({ channel }) => match(channel))
      const status = 'incomplete'
      if (fields['type'] === 'function_call') {
        return {
          ...fields,
          status,
          arguments: of(({ name }) => name === 'arguments')
            .map(({ text }) => text)
            .join(''),
        }
      }
      const content = of(({ type }) => !type.includes('summary')).map(({ channel, text }) => partOf(channel, text))
      const summary = of(({ type }) => type.includes('summary')).map(({ text }) => ({ type: 'summary_text', text }))
      return { ...fields, status, content, ...(fields['type'] === 'reasoning' ? { summary } : {}) }
    })
  }
}

function partOf({ name }: EventChannel, text: string): Json {
  if (name === 'reasoning') return { type: 'reasoning_text', text }
  return name === 'refusal' ? { type: 'refusal', refusal: text } : { type: 'output_text', text, annotations: [] }
}

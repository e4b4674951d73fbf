import type { EventChannel, OutputKeeper } from './event-wire.ts'

/** Characters kept of one answer: of a longer one, the last event says nothing about the output. */
const MAX_KEPT = 4 * 1024 * 1024

type Json = Readonly<Record<string, unknown>>

/** A text that has been let out, in the pieces that came. */
interface Text {
  readonly channel: EventChannel
  readonly pieces: string[]
}

interface Item {
  readonly fields: Json
  readonly isDone: boolean
  /** By channel and part. */
  readonly texts: Map<string, Text>
}

/** The items of a Responses answer as they have been let out. */
export class ReleasedOutput implements OutputKeeper {
  private readonly items = new Map<unknown, Item>()
  private kept = 0

  item(fields: Json, isDone: boolean, size: number): void {
    this.kept += size
    if (this.kept > MAX_KEPT) return
    const texts = this.items.get(fields['id'])?.texts ?? new Map<string, Text>()
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

  mark(): () => readonly Json[] {
    if (this.kept > MAX_KEPT) return () => []
    const items = [...this.items.values()].map(({ fields, isDone, texts }) => {
      const ends = [...texts.values()].map(({ channel, pieces }) => ({ channel, pieces, end: pieces.length }))
      return { fields, isDone, ends }
    })
    return () =>
      items.map(({ fields, isDone, ends }) => {
        if (isDone) return fields
        return partly(
          fields,
          ends.map(({ channel, pieces, end }) => ({ channel, text: pieces.slice(0, end).join('') })),
        )
      })
  }
}

interface Part {
  readonly channel: EventChannel
  readonly text: string
}

/** An item that has not come to its end. */
function partly(fields: Json, parts: readonly Part[]): Json {
  const status = 'incomplete'
  if (fields['type'] === 'function_call') {
    const pieces = parts.filter(({ channel }) => channel.name === 'arguments').map(({ text }) => text)
    return { ...fields, status, arguments: pieces.join('') }
  }
  const isSummary = ({ channel }: Part) => channel.type.includes('summary')
  const content = parts.filter(part => !isSummary(part)).map(contentPart)
  const summary = parts.filter(isSummary).map(({ text }) => ({ type: 'summary_text', text }))
  return { ...fields, status, content, ...(fields['type'] === 'reasoning' ? { summary } : {}) }
}

function contentPart({ channel: { name }, text }: Part): Json {
  if (name === 'reasoning') return { type: 'reasoning_text', text }
  return name === 'refusal' ? { type: 'refusal', refusal: text } : { type: 'output_text', text, annotations: [] }
}

import type { EventKeys, EventRepair } from './event-wire.ts'

/** Items whose numbers are remembered: bounds what a stream can make us keep. */
const MAX_ITEMS = 1024

const PART = /^response\.(?:output_text|content_part|refusal|reasoning_text)\./

interface Item {
  readonly index: number
  /** Parts that have ended, which is the number of the one in progress. */
  ended: number
  begun: boolean
}

/**
 * llama-server (b11669) leaves out `output_index` and `content_index`, and the event that opens the text of a reasoning item.
 * OpenAI's clients refuse such a stream. Items and parts are numbered in the order in which they come; what a server does
 * give is left as it is.
 */
export class ResponseNumbers implements EventRepair {
  private readonly items = new Map<string, Item>()

  event(type: string, keys: EventKeys): { fields: EventKeys; missing: Record<string, unknown>[] } {
    const { item_id: id, output_index: output, content_index: content } = keys
    if (typeof id !== 'string') return NOTHING
    const item = this.item(id)
    if (!item) return NOTHING
    const fields: Record<string, number> = {}
    if (output === undefined) fields['output_index'] = item.index
    const missing: Record<string, unknown>[] = []
    if (PART.test(type) && content === undefined) {
      fields['content_index'] = item.ended
      if (type === 'response.reasoning_text.delta' && !item.begun) {
        const part = { type: 'reasoning_text', text: '' }
        missing.push({ type: 'response.content_part.added', ...keys, ...fields, part })
      }
      item.begun = type !== 'response.content_part.done'
      if (!item.begun) item.ended++
    }
    return { fields, missing }
  }

  private item(id: string): Item | undefined {
    const known = this.items.get(id)
    if (known || this.items.size >= MAX_ITEMS) return known
    const item = { index: this.items.size, ended: 0, begun: false }
    this.items.set(id, item)
    return item
  }
}

const NOTHING = { fields: {}, missing: [] }

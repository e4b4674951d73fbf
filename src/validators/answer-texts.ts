import type { Shape } from '../json/shape.ts'
import { decodeString } from '../json/strings.ts'
import { walkJson } from '../json/walk.ts'
import type { Tag, Walked } from '../json/walked.ts'
import { FrameSplitter, frameData } from '../sse/frames.ts'
import type { EventWire } from '../wires/event-wire.ts'

/** A piece of a text that grows; pieces with the same key belong to the same text. */
export interface TextPiece {
  readonly key: string
  readonly text: string
}

/** The texts in some events, or in a whole answer. */
export interface AnswerTexts {
  readonly pieces: TextPiece[]
  /** Texts that stand there as a whole: names, copies of what went by in pieces. */
  readonly whole: string[]
  /** Some text ends here. */
  ends: boolean
}

const decoder = new TextDecoder()

/** Every text in whole events of a stream, wherever it stands in them. Null: there is an event that is not JSON. */
export function eventTexts(events: Uint8Array, answer: Shape | EventWire): AnswerTexts | null {
  const texts: AnswerTexts = { pieces: [], whole: [], ends: false }
  const shape = 'event' in answer ? answer.event : answer
  let valid = true
  const splitter = new FrameSplitter(events.length, {
    frame(frame) {
      // What of it may pass is decided already.
      const data = frameData(frame, () => true)
      if (!data || 'rest' in data) return
      const walked = walkJson(data.bytes, data.start, data.end, shape)
      valid &&= walked !== null && collect(data.bytes, walked, texts)
      if (!walked) return
      texts.ends ||= walked.choices.some(({ finish }) => finish !== null)
      if ('event' in answer) texts.ends ||= answer.closes(typeOf(data.bytes, walked.tags)) !== 'none'
    },
    tooLong() {
      valid = false
    },
  })
  splitter.push(events)
  return valid ? texts : null
}

/** Every text in a whole answer. Null: it is not JSON. */
export function bodyTexts(body: Uint8Array, answer: Shape | EventWire): string[] | null {
  const texts: AnswerTexts = { pieces: [], whole: [], ends: false }
  const walked = walkJson(body, 0, body.length, 'event' in answer ? answer.body : answer)
  if (!walked || !collect(body, walked, texts)) return null
  return [...texts.pieces.map(({ text }) => text), ...texts.whole]
}

function collect(bytes: Uint8Array, walked: Walked, { pieces, whole }: AnswerTexts): boolean {
  let about: string | undefined
  for (const slot of walked.strings) {
    const text = decodeString(bytes, slot)
    if (text === null) return false
    if (text === '') continue
    const { kind, choice, call, channel, field } = slot
    if (kind === 'delta') {
      about ??= keysOf(bytes, walked.tags)
      pieces.push({ key: `${about} ${field}`, text })
    } else if (choice && (kind === 'text' || kind === 'arguments')) {
      pieces.push({ key: `${choice.index} ${channel ?? kind} ${field} ${call?.index ?? ''}`, text })
    } else {
      whole.push(text)
    }
  }
  for (const { start, end } of walked.json) whole.push(decoder.decode(bytes.subarray(start, end)))
  return true
}

/** Which item, block or part an event is about. */
function keysOf(bytes: Uint8Array, tags: readonly Tag[]): string {
  return tags
    .filter(({ tag }) => tag !== 'type' && tag !== 'sequence_number')
    .map(({ tag, start, end }) => `${tag}=${decoder.decode(bytes.subarray(start, end))}`)
    .join()
}

function typeOf(bytes: Uint8Array, tags: readonly Tag[]): string {
  const type = tags.find(({ tag }) => tag === 'type')
  return type ? decoder.decode(bytes.subarray(type.start, type.end)) : ''
}

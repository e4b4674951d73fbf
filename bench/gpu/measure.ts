import { chat, eventsOf } from '../../test/fault/support/caller.ts'
import { within } from '../../test/support/index.ts'
import { median } from '../results.ts'

export interface Place {
  /** Without `/v1`. */
  readonly url: string
  readonly token: string
  readonly model: string
}

export interface Speed {
  readonly tokensPerSecond: number
  /** From the request to the first text, median and 95 of 100. */
  readonly firstTokenMs: { readonly p50: number; readonly p95: number }
  readonly tokens: number
}

const ANSWER_DEADLINE_MS = 300_000

/** Some 100 tokens; no two begin alike, so that no cache of prompts helps. */
const promptOf = (number: number) =>
  `${number}. ${'The customer asked on Monday why the payment had not arrived at the bank. '.repeat(6)}`
let asked = 0

/** So many streams at the same time, each with `turns` answers of `tokens` tokens one after the other. */
export async function measure(
  place: Place,
  { streams, turns, tokens }: { readonly streams: number; readonly turns: number; readonly tokens: number },
): Promise<Speed> {
  const firsts: number[] = []
  let total = 0
  async function stream() {
    for (let turn = 0; turn < turns; turn++) {
      const began = performance.now()
      const call = chat(place, {
        token: place.token,
        model: place.model,
        prompt: promptOf(++asked),
        fields: { max_tokens: tokens, temperature: 1, stream_options: { include_usage: true } },
      })
      const message = await call.head
      const look = () => {
        if (!/"content":"[^"]/.test(call.text())) return
        firsts.push(performance.now() - began)
        message.off('data', look)
      }
      message.on('data', look)
      const { status, text } = await within('an answer', ANSWER_DEADLINE_MS, call.answer)
      const events = eventsOf(text)
      if (status !== 200 || events.at(-1) !== '[DONE]') throw new Error(`${status} ${text.slice(-500)}`)
      total += tokensOf(events)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: streams }, stream))
  const seconds = (performance.now() - began) / 1000
  const sorted = firsts.toSorted((one, other) => one - other)
  return {
    tokensPerSecond: total / seconds,
    firstTokenMs: { p50: median(sorted), p95: sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN },
    tokens: total,
  }
}

/** What the engine counted. */
function tokensOf(events: readonly string[]): number {
  const last = events.findLast(event => event.includes('"completion_tokens":'))
  const { usage } = JSON.parse(last ?? '{}') as { usage?: { completion_tokens: number } }
  if (!usage) throw new Error(`a stream without usage: ${events.slice(-2).join(' ')}`)
  return usage.completion_tokens
}

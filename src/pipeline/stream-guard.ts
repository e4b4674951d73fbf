import type { ErrorCode } from '../errors/catalogue.ts'
import { openAiError } from '../errors/refusal.ts'
import type { AnswerGuard } from '../guard/answer-guard.ts'
import type { TextGuard } from '../guard/text-guard.ts'
import { concat, FrameSplitter, frameData } from '../sse/frames.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const DONE = encoder.encode('data: [DONE]\n\n')

/** Token counts as the model server gives them. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** Where usage stood: in an event of its own behind the texts, with the end of a choice, or with any text. */
export type UsageSource = 'own' | 'finish' | 'running'

/** How a stream ended, seen from the caller. */
export type StreamEnd =
  | { readonly kind: 'complete' }
  /** Cut by a limit or by policy, with the normal ending. */
  | { readonly kind: 'cut'; readonly finish: 'length' | 'content_filter' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly reason: string }

export interface StreamGuardOptions {
  readonly answers: AnswerGuard
  readonly texts: TextGuard
  readonly maxFrameBytes: number
  /** Why the answer has to be cut now, if it has to: asked after each event. */
  readonly cutFor: () => 'length' | null
  /** The usage event was asked for by the gateway, not by the caller: it is taken out again. */
  readonly dropUsage: boolean
  /** An event with text of the model went by. */
  readonly onText: () => void
  readonly onUsage: (usage: Usage, source: UsageSource) => void
  /** What was used so far: told to a caller who asked for usage and whose answer is cut. */
  readonly usage: () => Usage
}

/**
 * Turns the bytes of a model server's event stream into the bytes that the caller may have. Push in what comes; `end` is
 * set as soon as nothing more will be let out, and the last bytes (`closing`) then wait until the caller's answer may end.
 */
export class StreamGuard {
  /** Set once the answer is over for the caller, whatever the model server still sends. */
  end: StreamEnd | null = null
  private readonly options: StreamGuardOptions
  private readonly splitter: FrameSplitter
  private out: Uint8Array[] = []
  /** Fields that every event of this stream repeats: id, object, created, model. */
  private envelope: Record<string, unknown> | null = null
  private closing: Uint8Array[] = []

  constructor(options: StreamGuardOptions) {
    this.options = options
    this.splitter = new FrameSplitter(options.maxFrameBytes, {
      frame: bytes => this.frame(bytes),
      tooLong: () => this.fail('upstream_invalid', `an event is longer than ${options.maxFrameBytes} bytes`),
    })
  }

  /** Takes a chunk; returns what may go out now, or null for nothing. */
  push(chunk: Uint8Array): Uint8Array | null {
    this.splitter.push(chunk)
    return this.take()
  }

  /** The model server closed its answer in good order. */
  complete(): Uint8Array | null {
    if (!this.end) {
      const pending = decoder.decode(this.splitter.pending).trim()
      // Some servers leave out the blank line behind the last event.
      if (LAST_EVENT.test(pending)) this.done(DONE)
      else if (pending !== '') this.fail('upstream_failed', 'the answer ended inside an event')
      else if (this.options.answers.openChoices.length > 0) this.fail('upstream_failed', 'the answer ended too early')
      else if (!this.envelope) this.fail('upstream_failed', 'the answer was empty')
      // Every choice has ended. Some servers send no [DONE], and callers could not tell this end from a broken one.
      else this.done(DONE)
    }
    return this.take()
  }

  /** Ends the stream with an error event, after what is held has been decided. */
  fail(code: ErrorCode, reason: string): void {
    if (this.end) return
    this.flushHeld()
    this.break(code, reason)
  }

  /** Ends the stream with an error event; what is held is dropped. */
  break(code: ErrorCode, reason: string): void {
    this.closing = [encoder.encode(`data: ${JSON.stringify(openAiError({ code }))}\n\n`)]
    this.finish({ kind: 'failed', code, reason })
  }

  /** The bytes that end the answer: to be sent when its record is safe. */
  last(): Uint8Array {
    return concat(this.closing)
  }

  /** The bytes to send now, without those that end the answer. */
  take(): Uint8Array | null {
    const { out } = this
    if (out.length === 0) return null
    this.out = []
    return out.length === 1 ? (out[0] ?? null) : concat(out)
  }

  private finish(end: StreamEnd): void {
    this.end = end
    this.splitter.stop()
  }

  private frame(bytes: Uint8Array): void {
    const data = frameData(bytes)
    if (!data) {
      this.out.push(bytes)
      return
    }
    if (isDone(data.bytes, data.start, data.end)) {
      this.done(bytes)
      return
    }
    // llama-server sends it in front of the answers to several prompts. It says nothing, and clients fail on it.
    if (isNull(data.bytes, data.start, data.end)) return
    const { answers, texts } = this.options
    const guarded = answers.event(data.bytes, data.start, data.end)
    if (!guarded) return this.fail('upstream_invalid', 'an event is not JSON that can be checked')
    const { walked } = guarded
    if (walked.error) return this.fail('upstream_failed', 'the model server sent an error')
    if (walked.usage) {
      const usage = readUsage(data.bytes.subarray(walked.usage.start, walked.usage.end))
      const ended = walked.choices.some(choice => choice.finish)
      if (usage) this.options.onUsage(usage, walked.choices.length === 0 ? 'own' : ended ? 'finish' : 'running')
    }
    if (walked.choices.length > 0) {
      this.envelope ??= readEnvelope(data.bytes.subarray(data.start, data.end))
      if (!this.envelope) return this.fail('upstream_invalid', 'an event is not JSON that can be checked')
      for (const { choice, fields } of guarded.held) this.out.push(this.event(choice, fields, null))
      if (walked.strings.some(({ kind, start, end }) => kind !== 'unknown' && end > start)) this.options.onText()
    } else if (walked.usage && this.options.dropUsage) {
      return
    }
    this.out.push(guarded.bytes)
    if (texts.blocked) this.cut('content_filter')
    else if (this.options.cutFor()) this.cut('length')
  }

  /** The model server says that it is done. */
  private done(bytes: Uint8Array): void {
    const open = this.options.answers.openChoices
    this.flushHeld()
    if (this.options.texts.blocked) {
      for (const choice of open) this.out.push(this.event(choice, '', 'content_filter'))
    }
    this.closing.push(bytes)
    this.finish(this.options.texts.blocked ? { kind: 'cut', finish: 'content_filter' } : { kind: 'complete' })
  }

  /** Ends every open choice the normal way. What they hold is behind the cut: it is dropped. */
  private cut(finish: 'length' | 'content_filter'): void {
    for (const choice of this.options.answers.openChoices) {
      this.options.answers.remainder(choice)
      this.out.push(this.event(choice, '', finish))
    }
    if (!this.options.dropUsage) this.out.push(this.usageEvent())
    this.closing.push(DONE)
    this.finish({ kind: 'cut', finish })
  }

  /** The stream ends with choices still open: what they hold is decided and goes out in events of its own. */
  private flushHeld(): void {
    for (const choice of this.options.answers.openChoices) {
      const rest = this.options.answers.remainder(choice)
      if (rest !== '') this.out.push(this.event(choice, rest, null))
    }
  }

  private usageEvent(): Uint8Array {
    const { inputTokens, outputTokens } = this.options.usage()
    const usage = {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
    }
    return encoder.encode(`data: ${JSON.stringify({ ...this.envelope, choices: [], usage })}\n\n`)
  }

  private event(choice: number, fields: string, finish: string | null): Uint8Array {
    const envelope = this.envelope ?? {}
    const isChat = envelope['object'] !== 'text_completion'
    const inner = isChat ? `"delta":{${fields}}` : fields || '"text":""'
    const head = JSON.stringify(envelope).slice(0, -1)
    const choices = `"choices":[{"index":${choice},${inner},"finish_reason":${JSON.stringify(finish)}}]`
    return encoder.encode(`data: ${head}${head.length > 1 ? ',' : ''}${choices}}\n\n`)
  }
}

const LAST_EVENT = /(^|[\r\n])data: ?\[DONE\]$/
const BRACKET = 0x5b
const LETTER_N = 0x6e

function isNull(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes[start] === LETTER_N && decoder.decode(bytes.subarray(start, Math.min(end, start + 8))).trim() === 'null'
}

function isDone(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes[start] === BRACKET && decoder.decode(bytes.subarray(start, Math.min(end, start + 8))).trim() === '[DONE]'
}

/** Reads `prompt_tokens` and `completion_tokens`; undefined where they are not counts. */
export function readUsage(bytes: Uint8Array): Usage | undefined {
  const usage = parseObject(bytes)
  if (!usage) return undefined
  const input = usage['prompt_tokens']
  const output = usage['completion_tokens'] ?? 0
  if (!isCount(input) || !isCount(output)) return undefined
  return { inputTokens: input, outputTokens: output }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function readEnvelope(bytes: Uint8Array): Record<string, unknown> | null {
  const event = parseObject(bytes)
  if (!event) return null
  const envelope: Record<string, unknown> = {}
  for (const key of ['id', 'object', 'created', 'model', 'system_fingerprint']) {
    if (key in event) envelope[key] = event[key]
  }
  return envelope
}

/** Parses what a walk has found to be an object; null where a parser is stricter than the walk. */
function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    return JSON.parse(decoder.decode(bytes)) as Record<string, unknown>
  } catch {
    return null
  }
}

import type { OnBlock } from '../config/config.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import { openAiError } from '../errors/refusal.ts'
import type { AnswerGuard, Held } from '../guard/answer-guard.ts'
import type { StrayTexts } from '../guard/stray-texts.ts'
import type { TextFilter } from '../guard/text-guard.ts'
import type { StringSlot } from '../json/walked.ts'
import { FramedAnswer, isDone } from './framed-answer.ts'
import { mergeUsage, parseObject } from './usage.ts'

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

export interface StreamGuardOptions {
  readonly answers: AnswerGuard
  readonly texts: TextFilter
  readonly maxFrameBytes: number
  /** Why the answer has to be cut now, if it has to: asked after each event. */
  readonly cutFor: () => 'length' | null
  /** The usage event was asked for by the gateway, not by the caller: it is taken out again. */
  readonly dropUsage: boolean
  /** How the answer ends where something is blocked; `content_filter` where that is left out. */
  readonly onBlock?: OnBlock
  /** An event with text of the model went by. */
  readonly onText: () => void
  readonly onUsage: (usage: Usage, source: UsageSource) => void
  /** What was used so far: told to a caller who asked for usage and whose answer is cut. */
  readonly usage: () => Usage
}

/** The stream of an answer in choices that grow alike (chat and completions). */
export class StreamGuard extends FramedAnswer {
  private readonly options: StreamGuardOptions
  /** Fields that every event of this stream repeats: id, object, created, model. */
  private envelope: Record<string, unknown> | null = null

  constructor(options: StreamGuardOptions) {
    super(options.maxFrameBytes, text => options.texts.twin().whole(text) === text, options.onBlock)
    this.options = options
  }

  errorEvent(code: ErrorCode): Uint8Array {
    return encoder.encode(`data: ${JSON.stringify(openAiError({ code }))}\n\n`)
  }

  protected get strays(): StrayTexts {
    return this.options.answers.strays
  }

  protected markHere(): () => void {
    const { answers } = this.options
    const open = answers.openChoices
    const ended = answers.begunChoices.filter(choice => !open.includes(choice))
    return () => {
      this.out = []
      this.closing = []
      const cut = answers.begunChoices.filter(choice => !ended.includes(choice))
      this.block(() => this.cut('content_filter', cut))
    }
  }

  protected ended(rest: string): void {
    // Some servers leave out the blank line behind the last event.
    if (LAST_EVENT.test(rest)) this.done(DONE)
    else if (rest !== '') this.fail('upstream_failed', 'the answer ended inside an event')
    else if (this.options.answers.openChoices.length > 0) this.fail('upstream_failed', 'the answer ended too early')
    else if (!this.envelope) this.fail('upstream_failed', 'the answer was empty')
    // Every choice has ended. Some servers send no [DONE], and callers could not tell this end from a broken one.
    else this.done(DONE)
  }

  protected event(frame: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
    if (isDone(bytes, start, end)) {
      this.done(bytes)
      return
    }
    // llama-server sends it in front of the answers to several prompts. It says nothing, and clients fail on it.
    if (isNull(bytes, start, end)) return
    const { answers, texts } = this.options
    const guarded = answers.event(bytes, start, end)
    if (!guarded) return this.fail('upstream_invalid', 'an event is not JSON that can be checked')
    const { walked } = guarded
    if (walked.error) return this.fail('upstream_failed', 'the model server sent an error')
    if (walked.usage) {
      const usage = readUsage(bytes.subarray(walked.usage.start, walked.usage.end))
      const ended = walked.choices.some(choice => choice.finish)
      if (usage) this.options.onUsage(usage, walked.choices.length === 0 ? 'own' : ended ? 'finish' : 'running')
    }
    if (walked.choices.length > 0) {
      this.envelope ??= readEnvelope(bytes.subarray(start, end))
      if (!this.envelope) return this.fail('upstream_invalid', 'an event is not JSON that can be checked')
      for (const held of guarded.held) this.out.push(this.own(held, null))
      if (walked.strings.some(isText)) this.options.onText()
    } else if (walked.usage && this.options.dropUsage) {
      return
    }
    this.out.push(guarded.bytes)
    if (texts.blocked) this.block(() => this.cut('content_filter'))
    else if (this.options.cutFor()) this.cut('length')
  }

  /** The model server says that it is done. */
  private done(bytes: Uint8Array): void {
    const open = this.options.answers.openChoices
    this.flushHeld()
    this.strays.end()
    if (this.options.texts.blocked) {
      return this.block(() => {
        for (const choice of open) this.out.push(this.own(nothing(choice), 'content_filter'))
        this.closing.push(bytes)
        this.finish({ kind: 'cut', finish: 'content_filter' })
      })
    }
    this.closing.push(bytes)
    this.finish({ kind: 'complete' })
  }

  /** Ends every open choice the normal way. What they hold is behind the cut: it is dropped. */
  private cut(finish: 'length' | 'content_filter', open = this.options.answers.openChoices): void {
    for (const choice of open) {
      this.options.answers.remainder(choice)
      this.out.push(this.own(nothing(choice), finish))
    }
    if (!this.options.dropUsage) this.out.push(this.usageEvent())
    this.closing.push(DONE)
    this.finish({ kind: 'cut', finish })
  }

  /** The stream ends with choices still open: what they hold is decided and goes out in events of its own. */
  protected flushHeld(): void {
    for (const choice of this.options.answers.openChoices) {
      const rest = this.options.answers.remainder(choice)
      if (rest.fields !== '') this.out.push(this.own(rest, null))
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

  /** An event of the gateway's own. */
  private own({ choice, fields, logprobs }: Held, finish: string | null): Uint8Array {
    const envelope = this.envelope ?? {}
    const isChat = envelope['object'] !== 'text_completion'
    const inner = isChat ? `"delta":{${fields}}` : fields || '"text":""'
    const head = JSON.stringify(envelope).slice(0, -1)
    const choices = `"choices":[{"index":${choice},${logprobs}${inner},"finish_reason":${JSON.stringify(finish)}}]`
    return encoder.encode(`data: ${head}${head.length > 1 ? ',' : ''}${choices}}\n\n`)
  }
}

const LAST_EVENT = /(^|[\r\n])data: ?\[DONE\]$/
const LETTER_N = 0x6e

function nothing(choice: number): Held {
  return { choice, fields: '', logprobs: '' }
}

/** Whether it is a piece of what the model writes. */
function isText({ kind, start, end }: StringSlot): boolean {
  return (kind === 'text' || kind === 'arguments') && end > start
}

function isNull(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes[start] === LETTER_N && decoder.decode(bytes.subarray(start, Math.min(end, start + 8))).trim() === 'null'
}

/** Reads a usage object; undefined where it does not count the input. */
export function readUsage(bytes: Uint8Array): Usage | undefined {
  const { inputTokens, outputTokens = 0 } = mergeUsage({}, bytes)
  return inputTokens === undefined ? undefined : { inputTokens, outputTokens }
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

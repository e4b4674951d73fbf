import { createSnippet, MAX_SNIPPET, type Snippet } from '../audit/snippet.ts'
import type { OnBlock } from '../config/config.ts'
import { MAX_FRAME_BYTES } from '../config/limits.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import { AnswerGuard, type Gate } from '../guard/answer-guard.ts'
import { EventGuard } from '../guard/event-guard.ts'
import type { GuardSide } from '../guard/policy.ts'
import { TextGuard } from '../guard/text-guard.ts'
import type { Steps } from '../guard/turns.ts'
import { estimateTextTokens } from '../quota/estimate.ts'
import { EventStreamGuard } from './event-stream-guard.ts'
import type { Exchange } from './exchange.ts'
import type { FramedAnswer } from './framed-answer.ts'
import { readUsage, StreamGuard, type Usage } from './stream-guard.ts'
import { UsageSum } from './usage-sum.ts'

/** What is collected where it still has to be redacted: room for a match that begins in the first half. */
const LONG_SNIPPET = 2 * MAX_SNIPPET

/** A whole answer, or why it must not be let out. */
type GuardedBody = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly code: ErrorCode }

/**
 * The output guard of one request: what may be let out, what it amounts to, and when it is enough.
 */
export class OutputGuard {
  /** Made when it is asked for: whole answers have none. */
  private framed: FramedAnswer | null = null
  private readonly makeStream: () => FramedAnswer
  private readonly exchange: Exchange
  private readonly texts: TextGuard
  /** Guards whole answers. */
  private readonly bodies: Pick<AnswerGuard, 'body'> | EventGuard
  private readonly copies: TextGuard | undefined
  private readonly snippet: Snippet
  private readonly record: GuardSide | null
  private readonly maxCharacters: number
  private readonly maxEvents: number
  private readonly onBlock: OnBlock
  private readonly prompts: number
  private characters = 0
  private estimate = 0
  private events = 0
  private readonly usage: UsageSum
  private full = false
  /** Set where a limit is used up that cuts answers: nothing more is let out behind the event at hand. */
  exhausted = false

  constructor(exchange: Exchange) {
    const { policy, body, model, endpoint } = exchange
    if (!policy || !body || !model) throw new Error('the output guard runs behind authoriseModel')
    this.exchange = exchange
    this.maxCharacters = policy.maxCharacters
    this.onBlock = policy.onBlock
    this.record = policy.record
    this.snippet = createSnippet(policy.record ? LONG_SNIPPET : MAX_SNIPPET)
    const choices = typeof body.fields['n'] === 'number' ? body.fields['n'] : 1
    this.prompts = exchange.prompts
    // A model server writes at least a token an event: one that ignores its bound is stopped here.
    this.maxEvents = (model.maxOutputTokens ?? Number.POSITIVE_INFINITY) * choices * this.prompts
    this.usage = new UsageSum(this.prompts)
    this.texts = new TextGuard(policy.output)
    const gate: Gate = {
      pass: (text, channel, choice) => this.pass(text, channel === 'content' || channel === 'text', choice),
    }
    const { answer, errorBody } = endpoint
    if ('event' in answer) {
      const copies = new TextGuard(policy.output)
      const events = new EventGuard(answer, this.texts, copies, gate)
      this.copies = copies
      this.bodies = events
      this.makeStream = () =>
        new EventStreamGuard({
          ...this.streamOptions(),
          wire: answer,
          events,
          onUsage: (usage: Usage) => this.usage.add(usage, 'running'),
          errorBody,
        })
    } else {
      const answers = new AnswerGuard(answer, this.texts, gate, policy.onBlock !== 'error')
      const options = body.fields['stream_options'] as { include_usage?: boolean } | undefined
      const dropUsage = options?.include_usage !== true
      this.bodies = answers
      this.makeStream = () =>
        new StreamGuard({
          ...this.streamOptions(),
          answers,
          dropUsage,
          onUsage: (usage, source) => this.usage.add(usage, source),
        })
    }
  }

  /** The guard of an answer that is streamed. */
  get stream(): FramedAnswer {
    this.framed ??= this.makeStream()
    return this.framed
  }

  /** Guards a whole body; a code where it must not be let out. */
  *body(bytes: Uint8Array): Steps<GuardedBody> {
    const guarded = yield* this.bodies.body(bytes)
    if (!guarded || guarded.walked.error) return { ok: false, code: 'upstream_invalid' }
    const { usage } = guarded.walked
    if (usage) {
      const counts = readUsage(bytes.subarray(usage.start, usage.end))
      if (counts) this.usage.add(this.countsOne() ? this.ofAll(counts, guarded.walked.choices.length) : counts, 'own')
    }
    if (this.texts.blocked) return { ok: false, code: 'guard_output_blocked' }
    return { ok: true, bytes: guarded.bytes }
  }

  /** Adds what was found to the exchange: once, at the end. */
  report(): void {
    const { findings } = this.exchange
    const counts = this.texts.tally()
    for (const count of counts) findings.push({ stage: 'output', ...count })
    // A text that came only as a whole was found nowhere else.
    for (const count of this.copies?.tally() ?? []) {
      if (!counts.some(({ rule }) => rule === count.rule)) findings.push({ stage: 'output', ...count })
    }
  }

  /** What the request amounts to: the model server's own count, or what was counted on the way. */
  get counts(): { inputTokens: number; outputTokens: number; tokenSource: 'upstream' | 'estimate' } {
    const { total } = this.usage
    if (total) return { ...total, tokenSource: 'upstream' }
    return {
      inputTokens: this.exchange.estimatedInput,
      outputTokens: this.outputTokens,
      tokenSource: 'estimate',
    }
  }

  /** Output tokens so far, as counted on the way: what reservations are held against. */
  get outputTokens(): number {
    return Math.max(this.events, this.estimate)
  }

  /** The beginning of the answer, redacted even where policy lets the caller see more. */
  get outputSnippet(): string {
    const text = this.snippet.text()
    if (!this.record) return text
    const guarded = new TextGuard(this.record).open()
    const decided = guarded.push(text)
    const snippet = createSnippet()
    // Of a longer text the end is not decided: a match could go on behind it.
    snippet.add(text.length < LONG_SNIPPET - 1 ? decided + guarded.end() : decided)
    return snippet.text()
  }

  private streamOptions() {
    return {
      texts: this.texts,
      onBlock: this.onBlock,
      maxFrameBytes: MAX_FRAME_BYTES,
      cutFor: () => (this.full || this.exhausted || this.events > this.maxEvents ? 'length' : null),
      onText: () => {
        this.events++
      },
      usage: () => this.counts,
    } as const
  }

  /** In an answer that is not streamed, llama-server counts one prompt and one choice, whatever their number (b11669). */
  private countsOne(): boolean {
    const { model, upstream } = this.exchange
    return model?.upstreams.find(({ url }) => url === upstream)?.kind === 'llama.cpp'
  }

  /** What all answers used, when one of them is known. */
  private ofAll({ inputTokens, outputTokens }: Usage, answers: number): Usage {
    return {
      inputTokens: this.prompts > 1 ? Math.max(inputTokens, this.exchange.estimatedInput) : inputTokens,
      outputTokens: outputTokens * Math.max(1, answers),
    }
  }

  /** Lets text out up to the limit, and counts it. */
  private pass(text: string, isAnswer: boolean, choice: number): string {
    let passed = text
    if (this.characters + text.length > this.maxCharacters) {
      this.full = true
      passed = text.slice(0, this.maxCharacters - this.characters).replace(/[\ud800-\udbff]$/, '')
    }
    this.characters += passed.length
    this.estimate += estimateTextTokens(passed)
    if (isAnswer && choice === 0) this.snippet.add(passed)
    return passed
  }
}

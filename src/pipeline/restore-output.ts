import { AnswerGuard, type Gate } from '../guard/answer-guard.ts'
import { EventGuard } from '../guard/event-guard.ts'
import { Restorer } from '../guard/restore.ts'
import { atOnce } from '../guard/turns.ts'
import type { Endpoint } from '../openai/endpoints.ts'
import { concat } from '../sse/frames.ts'
import { EventStreamGuard } from './event-stream-guard.ts'
import type { FramedAnswer, StreamEnd } from './framed-answer.ts'
import { StreamGuard } from './stream-guard.ts'

const EVERYTHING: Gate = { pass: text => text }

/**
 * Puts the caller's own values back into an answer that the guard has let out: the last stage, which only requests with
 * stand-ins have. It reads the guarded answer as the guard reads the model server's, so that texts are found in the same
 * places, and in their pieces.
 */
export class OutputRestorer {
  private readonly stream: FramedAnswer
  private readonly bodies: Pick<AnswerGuard, 'body'> | EventGuard

  constructor({ answer, errorBody }: Pick<Endpoint, 'answer' | 'errorBody'>, values: ReadonlyMap<string, string>) {
    const restorer = new Restorer(values)
    const common = {
      texts: restorer,
      // Bounded already: labels make events longer.
      maxFrameBytes: Number.POSITIVE_INFINITY,
      cutFor: () => null,
      onText: () => undefined,
      onUsage: () => undefined,
      usage: () => ({ inputTokens: 0, outputTokens: 0 }),
    }
    if ('event' in answer) {
      const events = new EventGuard(answer, restorer, restorer, EVERYTHING)
      this.bodies = events
      this.stream = new EventStreamGuard({ ...common, wire: answer, events, errorBody })
    } else {
      const answers = new AnswerGuard(answer, restorer, EVERYTHING)
      this.bodies = answers
      this.stream = new StreamGuard({ ...common, answers, dropUsage: false })
    }
  }

  /** Restores a whole body; null where it cannot be read. */
  body(bytes: Uint8Array): Uint8Array | null {
    return atOnce(this.bodies.body(bytes))?.bytes ?? null
  }

  /** Takes what the guard lets out; returns what may go out now, or null for nothing. */
  push(bytes: Uint8Array): Uint8Array | null {
    return this.stream.push(bytes)
  }

  /** The bytes that end the answer. `closing`: those that the guard would end it with. */
  last(end: StreamEnd, closing: Uint8Array): Uint8Array {
    const { stream } = this
    if (end.kind === 'failed') stream.fail(end.code, end.reason)
    const out = stream.end ? stream.take() : stream.push(closing)
    const rest = stream.complete()
    return concat([...(out ? [out] : []), ...(rest ? [rest] : []), stream.last()])
  }
}

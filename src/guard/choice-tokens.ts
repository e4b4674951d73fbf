import type { ChannelName } from '../json/shape.ts'
import type { ChoiceScope, Walked } from '../json/walked.ts'
import type { Edit } from './edits.ts'
import { isSame, type Logprobs, readLogprobs, type Token, writeLogprobs } from './logprobs.ts'
import type { ReleasedText } from './tracked-text.ts'

const decoder = new TextDecoder()

/** The tokens of one choice in one document: those that came with it, and those that go out with it. */
export class ChoiceTokens {
  readonly form: Logprobs['form']
  private readonly came: Logprobs | null
  /** Where they go: in place of what came, or at the head of the choice. */
  private readonly start: number
  private readonly end: number
  private left: { content: readonly Token[]; refusal: readonly Token[] }
  private readonly content: Token[] = []
  private readonly refusal: Token[] = []

  constructor(form: Logprobs['form'], came: Logprobs | null = null, start = -1, end = start) {
    this.form = form
    this.came = came
    this.start = start
    this.end = end
    this.left = { content: came?.content ?? [], refusal: came?.refusal ?? [] }
  }

  /** Tokens that the channel's text is made of: the first text of the answer that asks gets them, and refusals their own. */
  take(channel: ChannelName): readonly Token[] {
    const list = channel === 'refusal' ? 'refusal' : 'content'
    const tokens = this.left[list]
    this.left[list] = []
    return tokens
  }

  /** Lets tokens out, those whose text is within the `length` characters that are let out. */
  give({ tokens }: ReleasedText, length: number, channel: ChannelName): void {
    const list = channel === 'refusal' ? this.refusal : this.content
    for (const { token, end } of tokens) if (end <= length) list.push(token)
  }

  /** As a field of a choice, with a comma behind it. */
  get field(): string {
    if (this.content.length + this.refusal.length === 0) return ''
    return `"logprobs":${writeLogprobs(this.form, this.content, this.refusal)},`
  }

  edit(edits: Edit[]): void {
    const { came, start, end, content, refusal } = this
    if (!came) {
      if (this.field !== '') edits.push({ start, end, text: this.field })
    } else if (!came.whole || !isSame(came.content, content) || !isSame(came.refusal, refusal)) {
      edits.push({ start, end, text: writeLogprobs(this.form, content, refusal) })
    }
  }
}

/** The tokens of all choices of a document. `form`: how earlier ones were written, when there were some. */
export function tokensOf(
  bytes: Uint8Array,
  walked: Walked,
  form: Logprobs['form'] | null,
): Map<ChoiceScope, ChoiceTokens> {
  const tokens = new Map<ChoiceScope, ChoiceTokens>()
  for (const { start, end, isNull, choice } of walked.logprobs) {
    if (!choice) continue
    const came = isNull ? NONE : readLogprobs(decoder.decode(bytes.subarray(start, end)))
    const known = came.content.length + came.refusal.length > 0 ? came.form : form
    tokens.set(choice, new ChoiceTokens(known ?? came.form, came, start, end))
  }
  for (const choice of walked.choices) {
    if (!tokens.has(choice)) tokens.set(choice, new ChoiceTokens(form ?? 'lists', null, choice.open))
  }
  return tokens
}

const NONE: Logprobs = { form: 'lists', content: [], refusal: [], whole: true }

import { MAX_CHECKS_OPEN, MAX_HELD_BYTES, WINDOW_WAIT_MS } from '../config/limits.ts'
import type { Endpoint } from '../openai/endpoints.ts'
import { type AnswerTexts, eventTexts, type TextPiece } from '../validators/answer-texts.ts'
import type { Subject } from '../validators/kind.ts'
import type { Outcome, Validator } from '../validators/validator.ts'
import { cutWindows, overlapOf } from '../validators/windows.ts'
import type { FramedAnswer } from './framed-answer.ts'
import { reasonOf } from './validation.ts'

/** The part of a validator that a stream needs. */
export type StreamValidator = Pick<Validator, 'config' | 'check'>

export interface StreamValidationOptions {
  readonly validators: readonly StreamValidator[]
  readonly subject: Subject
  readonly answer: Endpoint['answer']
  /** The guarded stream, which is cut through here where a verdict says so. */
  readonly stream: FramedAnswer
  /** Lets bytes out to the caller. */
  readonly send: (bytes: Uint8Array) => void
  /** Verdicts have come: there is room again. */
  readonly drained: () => void
  /** The answer was cut or broken off here, and is over. */
  readonly stopped: () => void
  /** A bug showed while verdicts came in: the stream is to be broken off. */
  readonly fault: (error: unknown) => void
}

/** Events that wait. `group`: the last one whose verdicts they wait for. */
interface Waiting {
  readonly bytes: Uint8Array
  readonly group: number
  readonly ends: boolean
  /** How to cut behind them. */
  readonly mark: () => void
}

/** The checks of one window of the stream, over all its texts. */
interface Group {
  /** Checks that text waits for. */
  holding: number
  /** All checks under way. */
  open: number
}

/** One growing text: what was given to validators last, and what is to be given to them next. */
interface Channel {
  seen: string
  fresh: string
}

const NO_JSON = 'an event is not JSON that can be checked'
const NOTHING = new Uint8Array(0)

/** Texts that stood in the stream as a whole are remembered up to so many characters: copies are not checked again. */
const MAX_KNOWN_CHARACTERS = 1 << 18

/**
 * Holds a guarded stream back until validators have seen its text, window by window. Bytes wait in the order they came in,
 * whatever they are, so no wire needs a form of its own. Of an answer that ends badly, the caller has what passed.
 */
export class StreamValidation {
  private readonly options: StreamValidationOptions
  private readonly gone = new AbortController()
  private readonly holds: boolean
  /** New text after which a window is closed. */
  private readonly stride: number
  /** What a window may need of the text in front of it. */
  private readonly overlap: number
  private readonly channels = new Map<string, Channel>()
  private readonly known = new Set<string>()
  private knownLength = 0
  private freshLength = 0
  private waiting: Waiting[] = []
  private waitingBytes = 0
  /** By number; `groups[0]` has the number `first`. The last one is open: its text is being collected. */
  private groups: Group[] = [{ holding: 0, open: 0 }]
  private first = 0
  /** What was collected is to be given to the validators as soon as they are not behind. */
  private due = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private cut: () => void
  private settled: (() => void) | undefined
  private over = false
  /** Everything that the guard let out has passed, and has gone out. */
  passed = false
  private readonly tally = new Map<string, { rule: string; action: string; count: number }>()

  constructor(options: StreamValidationOptions) {
    this.options = options
    const outputs = options.validators.map(({ config }) => config.output)
    this.holds = outputs.some(({ mode }) => mode === 'hold')
    this.stride = Math.min(...outputs.map(({ window }) => window - overlapOf(window)))
    this.overlap = Math.max(...outputs.map(({ window }) => overlapOf(window)))
    this.cut = options.stream.mark()
    options.stream.onEvent = bytes => this.add(bytes)
  }

  /** Whether the model server should pause: verdicts are behind. */
  get full(): boolean {
    return this.waitingBytes > MAX_HELD_BYTES || this.groups.length > MAX_CHECKS_OPEN
  }

  /** Takes whole events that the guard lets out. */
  add(bytes: Uint8Array): void {
    if (this.over) return
    const texts = eventTexts(bytes, this.options.answer)
    if (!texts) return this.fail('upstream_invalid', NO_JSON)
    this.collectAll(texts)
    const group = this.first + this.groups.length - (this.freshLength > 0 ? 1 : 2)
    this.waiting.push({ bytes, group, ends: texts.ends, mark: this.options.stream.mark() })
    this.waitingBytes += bytes.length
    if (this.freshLength >= this.stride || texts.ends) this.due = true
    else if (this.freshLength > 0) this.timer ??= setTimeout(() => this.guarded(() => this.flush()), WINDOW_WAIT_MS)
    this.release()
  }

  /** No more comes. Calls back when every verdict is there and everything that may go out is out; not when it is cut. */
  end(done: () => void): void {
    if (this.over || this.settled) return
    this.settled = done
    this.guarded(() => {
      const texts = this.lastTexts()
      if (!texts) return this.fail('upstream_invalid', NO_JSON)
      this.collectAll(texts)
      this.flush()
    })
  }

  /** The caller went away, or nothing more may go out. */
  cancel(): void {
    if (this.over) return
    this.over = true
    this.waiting = []
    clearTimeout(this.timer)
    this.gone.abort()
  }

  /** What validators found. */
  get findings(): {
    readonly stage: 'output'
    readonly rule: string
    readonly action: string
    readonly count: number
  }[] {
    return [...this.tally.values()].map(finding => ({ stage: 'output', ...finding }))
  }

  /** The event that ends a typed answer has copies of its texts, and perhaps others. It goes out behind the record. */
  private lastTexts(): AnswerTexts | null {
    const { answer, stream } = this.options
    const isTheirs = 'event' in answer && stream.end?.kind === 'complete'
    return eventTexts(isTheirs ? stream.last() : NOTHING, answer)
  }

  private collectAll({ pieces, whole }: AnswerTexts): void {
    for (const piece of pieces) this.collect(piece)
    for (const text of whole) this.collectWhole(text)
  }

  private collect({ key, text }: TextPiece): void {
    const channel = this.channels.get(key)
    if (channel) channel.fresh += text
    else this.channels.set(key, { seen: '', fresh: text })
    this.freshLength += text.length
  }

  private collectWhole(text: string): void {
    if (this.known.has(text)) return
    if (this.knownLength + text.length <= MAX_KNOWN_CHARACTERS) {
      this.knownLength += text.length
      this.known.add(text)
    }
    this.collect({ key: '', text: `${text}\n` })
  }

  private flush(): void {
    this.due = true
    this.release()
  }

  /** Gives what was collected to the validators. */
  private closeGroup(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.due = false
    const group = this.groups.at(-1)
    if (!group) return
    const texts: Channel[] = []
    for (const channel of this.channels.values()) {
      if (channel.fresh === '') continue
      texts.push({ ...channel })
      channel.seen = (channel.seen + channel.fresh).slice(-this.overlap)
      channel.fresh = ''
    }
    this.freshLength = 0
    this.groups.push({ holding: 0, open: 0 })
    for (const validator of this.options.validators) {
      const { window, mode } = validator.config.output
      const before = overlapOf(window)
      const windows = texts.flatMap(({ seen, fresh }) => cutWindows(seen.slice(-before) + fresh, window))
      group.open++
      if (mode === 'hold') group.holding++
      validator.check(windows, this.options.subject, this.gone.signal).then(
        outcome => {
          group.open--
          if (mode === 'hold') group.holding--
          this.guarded(() => this.decide(validator, outcome))
        },
        (error: unknown) => this.broken(error),
      )
    }
  }

  private decide({ config: { name, action, onFailure } }: StreamValidator, outcome: Outcome): void {
    if (this.over) return
    if (outcome.kind === 'bad') {
      this.note(name, action)
      if (action === 'block') return this.stop(this.cut)
    } else if (outcome.kind === 'failed') {
      this.note(name, 'failed')
      if (action === 'block' && onFailure === 'block') return this.fail('guard_unavailable', reasonOf(name, outcome))
    }
    this.release()
  }

  /** Lets out, in order, what waits for nothing any more. */
  private release(): void {
    if (this.over) return
    const wasFull = this.full
    while (this.groups.length > 1 && this.groups[0]?.open === 0) {
      this.groups.shift()
      this.first++
    }
    // While verdicts are behind, windows grow in number, not checks.
    if (this.due && this.freshLength > 0 && this.groups.length <= MAX_CHECKS_OPEN) this.closeGroup()
    let held = this.first
    while (held < this.first + this.groups.length - 1 && this.groups[held - this.first]?.holding === 0) held++
    let count = 0
    for (const { bytes, group, ends, mark } of this.waiting) {
      const free = ends ? group < this.first : group < held || !this.holds
      if (!free) break
      count++
      this.waitingBytes -= bytes.length
      this.cut = mark
      this.options.send(bytes)
      if (this.over) return
    }
    this.waiting = this.waiting.slice(count)
    if (wasFull && !this.full) this.options.drained()
    if (this.settled && this.groups.length === 1 && this.freshLength === 0 && this.waiting.length === 0) {
      this.over = true
      this.passed = true
      this.settled()
    }
  }

  private fail(code: 'upstream_invalid' | 'guard_unavailable', reason: string): void {
    this.stop(() => this.options.stream.break(code, reason))
  }

  /** Ends the answer here: what waits is dropped. */
  private stop(how: () => void): void {
    this.cancel()
    how()
    const bytes = this.options.stream.take()
    if (bytes) this.options.send(bytes)
    this.options.stopped()
  }

  /** Runs what nobody waits for. */
  private guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.broken(error)
    }
  }

  private broken(error: unknown): void {
    if (this.over) return
    this.cancel()
    this.options.fault(error)
  }

  private note(rule: string, action: string): void {
    const key = `${rule} ${action}`
    const known = this.tally.get(key)
    if (known) known.count++
    else this.tally.set(key, { rule, action, count: 1 })
  }
}

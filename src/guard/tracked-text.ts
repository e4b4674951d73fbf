import type { Alternative, Token } from './logprobs.ts'
import type { GuardedText, TextFilter } from './text-guard.ts'

/** Text in front of what is undecided that can matter for a match: checks look at so much of it. */
const CONTEXT_LENGTH = 128
/** Text in front of a token of which it is not known what is undecided: as long as a match can be. */
const MAX_HELD = 512
/** Tokens that may wait for their text, or be held with it. */
const MAX_WAITING = 64
const MAX_QUEUED = 4096
/** Text that its tokens may lag behind. */
const MAX_BEHIND = 1024

const encoder = new TextEncoder()

/** A token that may go out. */
export interface ReleasedToken {
  readonly token: Token
  /** Where it ends in the text that is let out with it. */
  readonly end: number
}

export interface ReleasedText {
  readonly text: string
  readonly tokens: readonly ReleasedToken[]
}

/** A token and where it stands in the whole text. What is a part of a character stands for all of it. */
interface Placed {
  readonly token: Token
  readonly start: number
  readonly end: number
  /** How much in front of it was undecided when it came. */
  held: number
}

/**
 * A growing text under guard, and the tokens that it is made of. A token goes out together with its text, and only where
 * that text goes out unchanged: what the tokens that are let out spell is always found in the text that is let out, whatever
 * the guard did. Where tokens and text do not agree, the tokens are dropped, and both are matched anew from the next piece on.
 */
export class TrackedText {
  private readonly guarded: GuardedText
  /** The redaction of a whole text, which counts no findings. */
  private readonly redact: (text: string) => string
  /** The text as it came, from `from` on. */
  private raw: string
  private from = 0
  /** Length of the text as it came, and of what is decided. */
  private length: number
  private decided = 0
  /** Length of what was let out. */
  private released = 0
  /** Start of the unchanged text that ends at `decided`, and how much further on it stands in the text let out. */
  private cleanFrom: number
  private shift = 0
  /** Where the next token has to begin: the character, and bytes of it that are taken already. */
  private next: number
  private within = 0
  private waiting: readonly Token[] = []
  private readonly queue: Placed[] = []
  /** In front of it, the queue's tokens are gone. */
  private first = 0

  /** `guarded` may hold text already: its tokens are not known. */
  constructor(guarded: GuardedText, redact: (text: string) => string) {
    this.guarded = guarded
    this.redact = redact
    // Stands for the text that is held: equal to none.
    this.raw = '\ud800'.repeat(guarded.heldLength)
    this.length = this.raw.length
    this.cleanFrom = this.length
    this.next = this.length
  }

  /** A text that is there as a whole, with its tokens. */
  static whole(guard: TextFilter, text: string, tokens: readonly Token[]): ReleasedText {
    const tracked = new TrackedText(guard.open(), of => guard.twin().whole(of))
    const first = tracked.push(text, tokens)
    const rest = tracked.end()
    const moved = rest.tokens.map(({ token, end }) => ({ token, end: end + first.text.length }))
    return { text: first.text + rest.text, tokens: [...first.tokens, ...moved] }
  }

  push(piece: string, tokens: readonly Token[]): ReleasedText {
    const start = this.length
    this.raw += piece
    this.length += piece.length
    const placed = this.place(tokens, start)
    const cuts = new Set([...placed.map(({ end }) => end), this.length])
    const base = this.released
    const out: ReleasedToken[] = []
    let text = ''
    let at = start
    let next = 0
    for (const cut of cuts) {
      // Of tokens that waited, the text has been pushed before.
      if (cut < at || (cut === at && cut < this.length)) continue
      for (; (placed[next]?.start ?? cut) < cut; next++) {
        const token = placed[next]
        if (token?.start === at) token.held = this.guarded.heldLength
      }
      const released = this.guarded.push(this.slice(at, cut))
      text += released
      at = cut
      this.step(released, cut - this.guarded.heldLength, base, out)
    }
    this.forget()
    return { text, tokens: out }
  }

  end(): ReleasedText {
    const base = this.released
    const out: ReleasedToken[] = []
    const text = this.guarded.end()
    this.step(text, this.length, base, out)
    return { text, tokens: out }
  }

  /** Finds where the tokens stand, the waiting ones first. */
  private place(tokens: readonly Token[], start: number): readonly Placed[] {
    const all = this.waiting.length === 0 ? tokens : [...this.waiting, ...tokens]
    const placed = this.match(all, this.next, this.within) ?? this.match(tokens, start, 0) ?? []
    if (placed.length === 0 && this.waiting.length === 0) {
      this.next = this.length
      this.within = 0
    }
    if (this.queue.length + placed.length <= MAX_QUEUED) this.queue.push(...placed)
    return placed
  }

  /** Null: the tokens do not spell what stands there. Those whose text is still to come wait. */
  private match(tokens: readonly Token[], from: number, within: number): Placed[] | null {
    this.waiting = []
    const text = this.slice(from, this.length)
    const bytes = encoder.encode(text)
    const units = unitsOf(text, bytes.length)
    const placed: Placed[] = []
    let at = within
    for (const [index, token] of tokens.entries()) {
      const last = at + token.bytes.length
      const isHere = token.bytes.every((byte, offset) => at + offset >= bytes.length || bytes[at + offset] === byte)
      if (!isHere) return null
      if (last > bytes.length) {
        this.waiting = tokens.slice(index, index + MAX_WAITING)
        break
      }
      let end = last
      while (end < bytes.length && isPart(bytes[end])) end++
      placed.push({ token, start: from + (units[at] ?? 0), end: from + (units[end] ?? 0), held: MAX_HELD })
      at = last
    }
    const unit = units[at] ?? 0
    this.next = from + unit
    this.within = at - units.indexOf(unit)
    return placed
  }

  /** Text was decided up to `to` and let out as `released`: so are the tokens of what is unchanged. */
  private step(released: string, to: number, base: number, out: ReleasedToken[]): void {
    const decided = Math.max(this.decided, to)
    const raw = this.slice(this.decided, decided)
    this.released += released.length
    const head = released === raw ? raw.length : commonStart(raw, released)
    const headEnd = this.decided + head
    const headFrom = this.cleanFrom
    const headShift = this.shift
    if (head < raw.length || released.length !== raw.length) {
      const tail = commonEnd(raw.slice(head), released.slice(head))
      this.cleanFrom = decided - tail
      this.shift = this.released - decided
    }
    this.decided = decided
    for (; this.first < this.queue.length; this.first++) {
      const placed = this.queue[this.first] as Placed
      if (placed.end > decided) break
      if (placed.start >= headFrom && placed.end <= headEnd) out.push(this.release(placed, headShift, base))
      else if (placed.start >= this.cleanFrom) out.push(this.release(placed, this.shift, base))
    }
  }

  private release({ token, start, end, held }: Placed, shift: number, base: number): ReleasedToken {
    const { entry, alternatives } = token
    const kept = alternatives && this.harmless(alternatives, start, held)
    const offset = entry['offset']
    const moves = shift !== 0 && typeof offset === 'number'
    const same = !moves && kept?.length === alternatives?.length
    return {
      token: same
        ? token
        : { ...token, entry: moves ? { ...entry, offset: offset + shift } : entry, alternatives: kept },
      end: end + shift - base,
    }
  }

  /** Alternatives that no rule would touch if they stood at the token's place. */
  private harmless(alternatives: readonly Alternative[], start: number, held: number): Alternative[] {
    if (alternatives.length === 0) return []
    const before = this.slice(Math.max(this.from, start - held - CONTEXT_LENGTH), start)
    const redacted = this.redact(before)
    return alternatives.filter(({ text }) => this.redact(before + text) === redacted + text)
  }

  private slice(from: number, to: number): string {
    return this.raw.slice(Math.max(0, from - this.from), to - this.from)
  }

  /** Lets go of text that nothing needs any more. */
  private forget(): void {
    if (this.length - this.next > MAX_BEHIND) {
      this.next = this.length
      this.within = 0
      this.waiting = []
    }
    this.queue.splice(0, this.first)
    this.first = 0
    const needed = Math.min(this.decided, this.next, this.queue[0]?.start ?? this.length) - MAX_HELD - CONTEXT_LENGTH
    if (needed - this.from < MAX_HELD) return
    this.raw = this.raw.slice(needed - this.from)
    this.from = needed
  }
}

/** For each byte of the text's UTF-8, and for its end, the unit at which the byte's character begins. */
function unitsOf(text: string, length: number): Uint32Array {
  const units = new Uint32Array(length + 1)
  let byte = 0
  let unit = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    units.fill(unit, byte, byte + size)
    byte += size
    unit += character.length
  }
  units[length] = unit
  return units
}

/** Whether a byte goes on with a character. */
function isPart(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

function commonStart(one: string, other: string): number {
  let at = 0
  while (at < one.length && one[at] === other[at]) at++
  return at
}

function commonEnd(one: string, other: string): number {
  let at = 0
  while (at < Math.min(one.length, other.length) && one[one.length - 1 - at] === other[other.length - 1 - at]) at++
  return at
}

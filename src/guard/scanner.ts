import { START_CLASS } from './alphabet.ts'
import { FAILS, MATCHES } from './automaton.ts'
import { GrowingText } from './growing-text.ts'
import { CONTEXT_LENGTH, PrecedingText } from './preceding-text.ts'
import { ROW, UNKNOWN } from './row-table.ts'
import type { RuleDefinition } from './rule.ts'
import type { RuleSet } from './rule-set.ts'
import type { Screen } from './screen.ts'
import { Tail } from './tail.ts'

/** A match that was found, in UTF-16 offsets of the whole text of the channel, end-exclusive. */
export interface Finding {
  readonly rule: RuleDefinition
  readonly start: number
  /** Where a match goes on without bound (`tail`), the end is not yet known and this is where it was certain. */
  readonly end: number
}

/** Told the whole extent of an open-ended match, once it is over. */
export type TailEnd = (extent: { readonly start: number; readonly end: number }) => void

/** What replaces a match in the text that is let out. Called once for each match, in order. */
export type Replace = (finding: Finding, match: string) => string

interface Match {
  readonly rule: number
  /** Its length, folded. */
  readonly size: number
}

/** No candidate, or no row of the screen that is up to date. */
const NONE = 0

/**
 * Finds and replaces on one growing text, piece by piece. The released text, put together, is exactly what the same rules
 * give on the whole text at once:
 *
 *   scan from left to right; at each position take the longest match of any rule, among equals the one declared first; a
 *   match that its boundary or validator rejects does not count; behind a match go on, otherwise one character later.
 *
 * One candidate is followed at a time, the leftmost that is still possible. Everything in front of it is decided and
 * released; everything from it on is held back, and that is the least: some continuation could still make it a match.
 * The screen runs along, and where it finds that nothing is open, the candidate need not be asked. Otherwise, when a candidate
 * fails, the next position is tried on the held text, which is never longer than the longest rule: the cost of a character is
 * bounded by the number of places in the held text where some rule can start.
 */
export class Scanner {
  private readonly rules: RuleSet
  private readonly screen: Screen
  private readonly replace: Replace
  private readonly onTailEnd: TailEnd | undefined
  /** Undecided text: starts with the candidate, if there is one. */
  private readonly held = new GrowingText()
  private readonly preceding = new PrecedingText()
  /** Class of the folded character in front of the place that is looked at. */
  private before = START_CLASS
  /** Folded characters in front of it since the last letter. */
  private sinceLetter = CONTEXT_LENGTH
  /** Up to here in the held text, the screen has not cleared the places. */
  private careful = 0

  // The candidate: the row it has reached, after so many folded characters, in which epoch of the automaton.
  private row = NONE
  private read = 0
  /** A pattern of it ends with the next character: it has to be followed with care. */
  private met = false
  private epoch = 0
  /** Where patterns of the candidate ended: sizes and rows, alternating. */
  private matches: number[] = []

  /** The screen's row behind all of the held text, where nothing that is held has been suspected. */
  private screenRow = NONE
  private screenEpoch = 0

  /** An open-ended match in progress: its text is dropped as it comes. */
  private tail: Tail | null = null

  constructor(rules: RuleSet, replace: Replace, onTailEnd?: TailEnd) {
    this.rules = rules
    this.screen = rules.screen
    this.replace = replace
    this.onTailEnd = onTailEnd
    this.screenIdle()
  }

  /** Characters held back now. */
  get heldLength(): number {
    return this.held.length
  }

  /** Takes the next piece and returns what is decided. */
  push(piece: string): string {
    const { held, rules } = this
    if (piece === '') return ''
    if (this.tail === null && held.isPlain) {
      const classes = rules.alphabet.lend(piece.length)
      const plain = rules.alphabet.readPlain(piece, classes)
      const released = plain ? this.screened(piece, classes) : null
      rules.alphabet.giveBack(classes)
      if (released !== null) return this.met ? released + this.scan(false) : released
    }
    held.append(piece, false)
    return this.scan(false)
  }

  /** The text is complete: decides and returns the rest. */
  end(): string {
    return this.whole('')
  }

  /** Takes the one piece that is the whole text. */
  whole(text: string): string {
    this.held.append(text, true)
    return this.scan(true)
  }

  /** What a plain piece decides, where the screen suspects nothing; otherwise null, and nothing has changed. */
  private screened(piece: string, classes: Uint8Array): string | null {
    const { held, screen } = this
    const { length } = piece
    if (this.screenRow === NONE || this.screenEpoch !== screen.rows.epoch)
      return this.goesOn(piece, classes) ? '' : null
    const from = this.screenRow
    if (!screen.run(from, classes, 0, length)) return null
    const idle = Math.max(screen.idle, from <= screen.lastIdle ? 0 : -1)
    const { row } = screen
    if (idle < 0 || (idle === 0 && this.row !== NONE)) {
      if (!this.goesOn(piece, classes)) return null
      this.screenAt(row)
      return ''
    }
    // Nothing in front of `idle` matches, whatever follows.
    this.dropCandidate()
    // Letters of what was held are forgotten: as if its last character were one.
    if (held.length > 0) this.sinceLetter = 0
    this.pass(classes, 0, idle)
    const at = this.seekWithin(classes, idle, length, length)
    const released = at === length ? held.passPlain(piece, '') : held.passPlain(piece.slice(0, at), piece.slice(at))
    this.preceding.add(released, released.length)
    if (this.row === NONE) this.screenIdle()
    else this.screenAt(row)
    return released
  }

  /** Whether the piece is all that the candidate in progress goes on with. If so, it is held; nothing is decided. */
  private goesOn(piece: string, classes: Uint8Array): boolean {
    const { automaton } = this.rules
    const { rows } = automaton
    if (this.row === NONE || this.matches.length > 0 || this.epoch !== rows.epoch || this.met) return false
    const row = automaton.run(this.row, classes, 0, piece.length)
    if (row === UNKNOWN || row === FAILS) return false
    this.row = row
    this.epoch = rows.epoch
    this.read += piece.length
    this.held.appendPlain(piece)
    return true
  }

  /** Looks at the held text with care. */
  private scan(complete: boolean): string {
    const { held, rules } = this
    const { text } = held
    const { alphabet } = rules
    const classes = alphabet.lend(text.length)
    alphabet.read(text, classes)
    let released = ''
    /** In front of it everything is released or replaced; an index of the raw text. */
    let done = 0
    let at = 0
    this.careful = 0
    this.screenRow = NONE
    for (;;) {
      if (this.tail) {
        at = this.skipTail(this.tail, text, classes, at)
        done = held.rawEnd(at)
        if (!this.tail.over && !complete) break
        this.onTailEnd?.({ start: this.tail.start, end: held.offset + done })
        this.tail = null
      }
      if (this.row === NONE) at = this.seek(classes, at, text.length, complete)
      if (this.row === NONE) break
      const match = this.follow(text, classes, at, complete)
      if (match === 'undecided') break
      this.dropCandidate()
      if (match === null) {
        this.pass(classes, at, at + 1)
        at++
      } else {
        const start = held.rawStart(at)
        const end = held.rawEnd(at + match.size)
        const rule = rules.rules[match.rule] as RuleDefinition
        released += held.raw.slice(done, start)
        released += this.replace(
          { rule, start: held.offset + start, end: held.offset + end },
          held.raw.slice(start, end),
        )
        this.pass(classes, at, at + match.size)
        at += match.size
        done = end
        const machine = rules.tails[match.rule]
        if (machine) this.tail = new Tail(machine, held.offset + start)
      }
    }
    alphabet.giveBack(classes)
    rules.checks.forget()
    if (this.row === NONE && this.tail === null) this.screenIdle()
    return released + this.release(done, at)
  }

  /** Lets go of the folded text in front of `at`; returns of the raw text what is not yet `done`. */
  private release(done: number, at: number): string {
    const { held } = this
    const rawAt = this.tail ? done : held.rawStart(at)
    if (rawAt === 0 && at === 0) return ''
    this.preceding.add(held.text, at)
    const released = held.raw.slice(done, rawAt)
    held.release(at, rawAt)
    return released
  }

  /** Nothing is held: the screen starts anew. */
  private screenIdle(): void {
    this.screenAt(this.screen.idleAfter(this.before))
  }

  private screenAt(row: number): void {
    this.screenRow = row
    this.screenEpoch = this.screen.rows.epoch
  }

  private dropCandidate(): void {
    this.row = NONE
    this.read = 0
    this.met = false
    if (this.matches.length > 0) this.matches.length = 0
  }

  /** Goes on to the next place where a match may start, or to the end. */
  private seek(classes: Uint8Array, from: number, length: number, complete: boolean): number {
    const { screen } = this
    let at = from
    while (at < length && this.row === NONE) {
      if (at >= this.careful) {
        const clear = screen.clear(classes, at, length, this.before, complete)
        this.pass(classes, at, clear)
        at = clear
        this.careful = screen.until
      } else {
        at = this.seekWithin(classes, at, this.careful, length)
      }
    }
    return at
  }

  /** As above, place by place, at those in front of `to`. */
  private seekWithin(classes: Uint8Array, from: number, to: number, length: number): number {
    const { alphabet, automaton } = this.rules
    const { letters } = alphabet
    let { before, sinceLetter } = this
    let at = from
    for (; at < to; at++) {
      const start = automaton.startAfter(before, sinceLetter >= CONTEXT_LENGTH)
      const row = start === FAILS ? FAILS : automaton.run(start, classes, at, length)
      if (row !== FAILS) {
        this.met = row === UNKNOWN
        this.row = this.met ? automaton.metFrom : row
        this.read = (this.met ? automaton.metAt : length) - at
        this.epoch = this.met ? automaton.metEpoch : automaton.rows.epoch
        break
      }
      before = classes[at] as number
      sinceLetter = letters[before] ? 0 : sinceLetter + 1
    }
    this.before = before
    this.sinceLetter = sinceLetter
    return at
  }

  /** Reads on with the candidate at `from`; null: it is none, otherwise the match it became. */
  private follow(text: string, classes: Uint8Array, from: number, complete: boolean): Match | null | 'undecided' {
    const { automaton } = this.rules
    const { rows } = automaton
    const { matches } = this
    if (this.epoch !== rows.epoch) this.restart()
    this.met = false
    const { epoch } = this
    const { shift } = rows
    let { table } = rows
    let { row } = this
    for (let at = from + this.read; at < text.length; at++) {
      const unitClass = classes[at] as number
      let entry = table[(row << shift) | unitClass] as number
      if (entry === UNKNOWN) {
        entry = automaton.step(row, unitClass)
        table = rows.table
        // The rows of the matches so far are gone. One candidate alone cannot fill a table, so this comes once.
        if (rows.epoch !== epoch) return this.follow(text, classes, from, complete)
      }
      if (entry === FAILS) return this.decide(text, classes, from)
      row = entry & ROW
      if (entry >= MATCHES) {
        const size = at + 1 - from
        const { tail } = automaton.acceptsOf(row)
        if (tail >= 0) return { rule: tail, size }
        matches.push(size, row)
      }
    }
    const size = text.length - from
    if (complete || (matches.at(-2) === size && this.isSettled(text, from, row)))
      return this.decide(text, classes, from)
    this.row = row
    this.read = size
    return 'undecided'
  }

  /** The candidate from its start once more. */
  private restart(): void {
    const { automaton } = this.rules
    this.dropCandidate()
    this.row = automaton.startAfter(this.before, this.sinceLetter >= CONTEXT_LENGTH)
    this.epoch = automaton.rows.epoch
  }

  /**
   * Whether a match at the end of the text, where the candidate stands in `row`, is decided without the next character. It is
   * not where some rule can read on, or where one that would match must not stand in front of some characters.
   */
  private isSettled(text: string, from: number, row: number): boolean {
    const { automaton, notBefore, checks } = this.rules
    const { open, rules } = automaton.acceptsOf(row)
    if (open) return false
    checks.at(this.preceding, text, from)
    return !rules.some(rule => notBefore[rule] && checks.accept(rule, text.length))
  }

  /** The longest match that counts, among equals of the rule declared first. */
  private decide(text: string, classes: Uint8Array, from: number): Match | null {
    const { matches } = this
    if (matches.length === 0) return null
    const { automaton, notBefore, checks } = this.rules
    checks.at(this.preceding, text, from)
    for (let last = matches.length - 2; last >= 0; last -= 2) {
      const size = matches[last] as number
      const end = from + size
      const next = end < text.length ? (classes[end] as number) : START_CLASS
      for (const rule of automaton.acceptsOf(matches[last + 1] as number).rules) {
        if (!notBefore[rule]?.[next] && checks.accept(rule, end)) return { rule, size }
      }
    }
    return null
  }

  /** Drops the text of an open-ended match; returns where it stands. */
  private skipTail(tail: Tail, text: string, classes: Uint8Array, from: number): number {
    let at = from
    while (at < text.length && !tail.over && tail.takes(text, at, classes)) at++
    this.pass(classes, from, at)
    return at
  }

  /** The text from `from` to `to` is left behind. */
  private pass(classes: Uint8Array, from: number, to: number): void {
    if (to === from) return
    const { letters } = this.rules.alphabet
    this.before = classes[to - 1] as number
    const limit = Math.max(from, to - CONTEXT_LENGTH)
    let at = to
    while (at > limit && !letters[classes[at - 1] as number]) at--
    this.sinceLetter = at > limit ? to - at : Math.min(CONTEXT_LENGTH, this.sinceLetter + to - from)
  }
}

/** A whole text with every match replaced. */
export function scanText(rules: RuleSet, text: string, replace: Replace): string {
  return new Scanner(rules, replace).whole(text)
}

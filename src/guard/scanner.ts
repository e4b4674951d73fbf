import { charCodeAt } from '../text/char-code-at.ts'
import { START_CLASS } from './alphabet.ts'
import { FAILS, MATCHES } from './automaton.ts'
import { GrowingText } from './growing-text.ts'
import { CONTEXT_LENGTH, isLetter, PrecedingText } from './preceding-text.ts'
import { ROW, UNKNOWN } from './row-table.ts'
import type { RuleDefinition } from './rule.ts'
import type { RuleSet } from './rule-set.ts'
import { SUSPECT } from './screen.ts'
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
    const { held } = this
    if (this.tail === null && held.continuesPlain(piece)) {
      return this.screened(piece) ?? this.care(piece)
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

  private care(piece: string): string {
    this.held.appendPlain(piece)
    return this.scan(false)
  }

  /** What a piece that folds to itself decides, where the screen suspects nothing; otherwise null, and nothing has changed. */
  private screened(piece: string): string | null {
    const { held } = this
    const { alphabet, screen } = this.rules
    const { rows, lastIdle } = screen
    const { classOf } = alphabet
    if (this.screenRow === NONE || this.screenEpoch !== rows.epoch) return this.goesOn(piece) ? '' : null
    const { shift } = rows
    let { table } = rows
    let row = this.screenRow
    let idle = row <= lastIdle ? 0 : -1
    for (let at = 0; at < piece.length; at++) {
      const unitClass = classOf[charCodeAt.call(piece, at)] as number
      let entry = table[(row << shift) | unitClass] as number
      if (entry > lastIdle && entry < SUSPECT) {
        row = entry
        continue
      }
      if (entry === UNKNOWN) {
        entry = screen.step(row, unitClass)
        table = rows.table
      }
      if (entry >= SUSPECT) return null
      row = entry
      if (row <= lastIdle) idle = at + 1
    }
    if (idle < 0 || (idle === 0 && this.row !== NONE)) {
      if (!this.goesOn(piece)) return null
      this.screenRow = row
      this.screenEpoch = rows.epoch
      return ''
    }
    // Nothing in front of `idle` matches, whatever follows.
    this.dropCandidate()
    if (!hasLetter(piece, idle)) this.pass(held.text, 0, held.text.length)
    this.pass(piece, 0, idle)
    const rest = piece.slice(idle)
    const at = idle + this.seekWithin(rest, 0, rest.length)
    const released = held.passPlain(piece.slice(0, at), piece.slice(at))
    this.preceding.add(released, released.length)
    if (this.row === NONE) {
      this.screenIdle()
      return released
    }
    this.screenRow = row
    this.screenEpoch = rows.epoch
    return this.read === 0 ? released + this.scan(false) : released
  }

  /** Whether the piece is all that the candidate in progress goes on with. If so, it is held; nothing is decided. */
  private goesOn(piece: string): boolean {
    const { automaton, alphabet } = this.rules
    const { rows } = automaton
    if (this.row === NONE || this.matches.length > 0 || this.epoch !== rows.epoch || this.read === 0) return false
    const row = automaton.run(this.row, piece, 0, alphabet.classOf)
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
    let released = ''
    /** In front of it everything is released or replaced; an index of the raw text. */
    let done = 0
    let at = 0
    this.careful = 0
    this.screenRow = NONE
    for (;;) {
      if (this.tail) {
        at = this.skipTail(this.tail, text, at)
        done = held.rawEnd(at)
        if (!this.tail.over && !complete) break
        this.onTailEnd?.({ start: this.tail.start, end: held.offset + done })
        this.tail = null
      }
      if (this.row === NONE) at = this.seek(text, at, complete)
      if (this.row === NONE) break
      const match = this.follow(text, at, complete)
      if (match === 'undecided') break
      this.dropCandidate()
      if (match === null) {
        this.pass(text, at, at + 1)
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
        this.pass(text, at, at + match.size)
        at += match.size
        done = end
        const machine = rules.tails[match.rule]
        if (machine) this.tail = new Tail(machine, held.offset + start)
      }
    }
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
    const { screen } = this.rules
    this.screenRow = screen.idleAfter(this.before)
    this.screenEpoch = screen.rows.epoch
  }

  private dropCandidate(): void {
    this.row = NONE
    this.read = 0
    if (this.matches.length > 0) this.matches.length = 0
  }

  /** Goes on to the next place where a match may start, or to the end. */
  private seek(text: string, from: number, complete: boolean): number {
    const { screen } = this.rules
    let at = from
    while (at < text.length && this.row === NONE) {
      if (at >= this.careful) {
        const clear = screen.clear(text, at, this.before, complete)
        this.pass(text, at, clear)
        at = clear
        this.careful = screen.until
      } else {
        at = this.seekWithin(text, at, this.careful)
      }
    }
    return at
  }

  /** As above, place by place. */
  private seekWithin(text: string, from: number, to: number): number {
    const { alphabet, automaton } = this.rules
    const { classOf } = alphabet
    let { before, sinceLetter } = this
    let at = from
    for (; at < to; at++) {
      const start = automaton.startAfter(before, sinceLetter >= CONTEXT_LENGTH)
      const row = start === FAILS ? FAILS : automaton.run(start, text, at, classOf)
      if (row !== FAILS) {
        // A match, or so: it has to be followed with care.
        this.row = row === UNKNOWN ? start : row
        this.read = row === UNKNOWN ? 0 : text.length - at
        this.epoch = automaton.rows.epoch
        break
      }
      const unit = charCodeAt.call(text, at)
      before = classOf[unit] as number
      sinceLetter = isLetter(unit) ? 0 : sinceLetter + 1
    }
    this.before = before
    this.sinceLetter = sinceLetter
    return at
  }

  /** Reads on with the candidate at `from`; null: it is none, otherwise the match it became. */
  private follow(text: string, from: number, complete: boolean): Match | null | 'undecided' {
    const { alphabet, automaton, tails } = this.rules
    const { classOf } = alphabet
    const { rows } = automaton
    const { matches } = this
    if (this.read === 0 || this.epoch !== rows.epoch) this.restart()
    const { epoch } = rows
    let { table } = rows
    let { row } = this
    for (let at = from + this.read; at < text.length; at++) {
      const unitClass = classOf[charCodeAt.call(text, at)] as number
      let entry = table[(row << rows.shift) | unitClass] as number
      if (entry === UNKNOWN) {
        entry = automaton.step(row, unitClass)
        table = rows.table
        // The rows of the matches so far are gone. One candidate alone cannot fill a table, so this comes once.
        if (rows.epoch !== epoch) return this.follow(text, from, complete)
      }
      if (entry === FAILS) return this.decide(text, from)
      row = entry & ROW
      if (entry >= MATCHES) {
        const size = at + 1 - from
        for (const rule of automaton.acceptsOf(row).rules) if (tails[rule]) return { rule, size }
        matches.push(size, row)
      }
    }
    const size = text.length - from
    if (complete) return this.decide(text, from)
    if (
      matches.length > 0 &&
      matches.at(-2) === size &&
      !automaton.acceptsOf(row).open &&
      this.isSettled(text, from, row)
    ) {
      return this.decide(text, from)
    }
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
   * No rule can read on from `row`, at the end of the text. Whether that decides it, or the next character still matters: it
   * does where a rule that would otherwise match must not stand in front of some characters.
   */
  private isSettled(text: string, from: number, row: number): boolean {
    const { automaton, notBefore, checks } = this.rules
    checks.at(this.preceding, text, from)
    return !automaton.acceptsOf(row).rules.some(rule => notBefore[rule] && checks.accept(rule, text.length))
  }

  /** The longest match that counts, among equals of the rule declared first. */
  private decide(text: string, from: number): Match | null {
    const { matches } = this
    if (matches.length === 0) return null
    const { alphabet, automaton, notBefore, checks } = this.rules
    checks.at(this.preceding, text, from)
    for (let last = matches.length - 2; last >= 0; last -= 2) {
      const size = matches[last] as number
      const end = from + size
      const nextClass = end < text.length ? (alphabet.classOf[charCodeAt.call(text, end)] as number) : START_CLASS
      for (const rule of automaton.acceptsOf(matches[last + 1] as number).rules) {
        if (!notBefore[rule]?.[nextClass] && checks.accept(rule, end)) return { rule, size }
      }
    }
    return null
  }

  /** Drops the text of an open-ended match; returns where it stands. */
  private skipTail(tail: Tail, text: string, from: number): number {
    const { classOf } = this.rules.alphabet
    let at = from
    while (at < text.length && !tail.over && tail.takes(charCodeAt.call(text, at), classOf)) at++
    this.pass(text, from, at)
    return at
  }

  /** The text from `from` to `to` is left behind. */
  private pass(text: string, from: number, to: number): void {
    if (to === from) return
    this.before = this.rules.alphabet.classOf[charCodeAt.call(text, to - 1)] as number
    const limit = Math.max(from, to - CONTEXT_LENGTH)
    let at = to
    while (at > limit && !isLetter(charCodeAt.call(text, at - 1))) at--
    this.sinceLetter = at > limit ? to - at : Math.min(CONTEXT_LENGTH, this.sinceLetter + to - from)
  }
}

function hasLetter(text: string, to: number): boolean {
  for (let at = 0; at < to; at++) if (isLetter(charCodeAt.call(text, at))) return true
  return false
}

/** A whole text with every match replaced. */
export function scanText(rules: RuleSet, text: string, replace: Replace): string {
  return new Scanner(rules, replace).whole(text)
}

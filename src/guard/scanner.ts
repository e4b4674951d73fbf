import { charCodeAt } from '../text/char-code-at.ts'
import { IGNORABLE_CLASS, START_CLASS } from './alphabet.ts'
import { FAILS, NO_ROW, type State } from './automaton.ts'
import { fold, MAX_IGNORABLE_RUN } from './fold.ts'
import { PrecedingText } from './preceding-text.ts'
import type { RuleDefinition } from './rule.ts'
import type { RuleSet, TailMachine } from './rule-set.ts'

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

interface Candidate {
  readonly rule: number
  /** End of the match in the buffer. */
  readonly end: number
}

/**
 * Finds and replaces on one growing text, piece by piece. The released text, put together, is exactly what the same rules
 * give on the whole text at once:
 *
 *   scan from left to right; at each position take the longest match of any rule, among equals the one declared first; a
 *   match that its boundary or validator rejects does not count; behind a match go on, otherwise one character later.
 *
 * One candidate is followed at a time, the leftmost that is still possible. Everything in front of it is decided and
 * released; everything from it on is held back, and that is the least: some continuation could still make it a match.
 * When the candidate fails, the next position is tried on the held text, which is never longer than the longest rule: the
 * cost of a character is bounded by the number of places in the held text where some rule can start.
 */
export class Scanner {
  private readonly rules: RuleSet
  private readonly replace: Replace
  /** Undecided text: starts with the candidate. */
  private held = ''
  /** Offset of `held` in the whole text. */
  private offset = 0
  private readonly preceding = new PrecedingText()
  /** Class of the last character in front of the candidate that is not skipped. */
  private before = START_CLASS
  /** Length of the run of skipped characters that ends just in front of the candidate. */
  private runBefore = 0
  /** In the buffer: up to here the screen has not cleared the places. */
  private careful = 0

  // The candidate: it starts at held[0]; `read` units of `held` are read.
  private state: State | null = null
  private read = 0
  private run = 0
  /** Behind the last unit read that is not skipped: where a match would end. */
  private matchEnd = 0
  private candidates: Candidate[] | null = null

  // An open-ended match in progress: its text is dropped as it comes.
  private tail: TailMachine | undefined
  private tailEnd: State | null = null
  /** Where that match starts in the whole text. */
  private tailStart = 0
  private readonly onTailEnd: TailEnd | undefined

  constructor(rules: RuleSet, replace: Replace, onTailEnd?: TailEnd) {
    this.rules = rules
    this.replace = replace
    this.onTailEnd = onTailEnd
  }

  /** Characters held back now. */
  get heldLength(): number {
    return this.held.length
  }

  /** Takes the next piece and returns what is decided. */
  push(text: string): string {
    return this.scan(text, false)
  }

  /** The text is complete: decides and returns the rest. */
  end(): string {
    return this.scan('', true)
  }

  /** Whether `text` is all that the candidate in progress goes on with. Nothing is decided then. */
  private goesOn(text: string): boolean {
    const { alphabet, automaton } = this.rules
    const { state } = this
    if (state === null || state.accepts !== null || state.row === NO_ROW || this.run !== 0) return false
    const row = automaton.run(state, text, 0, alphabet.classOf)
    if (row === FAILS || row === NO_ROW) return false
    this.state = automaton.stateOf(row)
    this.held += text
    this.read += text.length
    this.matchEnd = this.read
    return true
  }

  /** Takes the one piece that is the whole text. */
  whole(text: string): string {
    return this.scan(text, true)
  }

  private scan(text: string, complete: boolean): string {
    if (!complete && this.goesOn(text)) return ''
    const { classOf } = this.rules.alphabet
    const buffer = this.held.length === 0 ? text : this.held + text
    const length = buffer.length
    let released = ''
    /** In front of it everything is released or replaced. */
    let done = 0
    let at = 0

    for (;;) {
      if (this.tail) {
        at = this.skipTail(buffer, at)
        done = at
        if (this.tail) {
          if (!complete) break
          // What is left is a run of skipped characters behind the match: not part of it.
          this.tail = undefined
        }
        this.onTailEnd?.({ start: this.tailStart, end: this.offset + at })
      }
      if (this.state === null) at = this.seek(buffer, at, complete)
      if (this.state === null) break
      const decision = this.follow(buffer, at, complete)
      if (decision === 'undecided') break
      if (decision === null) {
        const unit = charCodeAt.call(buffer, at)
        this.passed(unit, this.classAt(classOf[unit] ?? 0, unit, this.runBefore))
        at++
      } else {
        const end = at + decision.end
        released += buffer.slice(done, at)
        const rule = this.rules.rules[decision.rule] as RuleDefinition
        const finding = { rule, start: this.offset + at, end: this.offset + end }
        released += this.replace(finding, buffer.slice(at, end))
        this.enter(buffer, at, end)
        at = end
        done = end
        this.tail = this.rules.tails[decision.rule]
        this.tailEnd = this.tail?.endStart ?? null
        this.tailStart = finding.start
      }
      this.state = null
      this.candidates = null
    }

    released += buffer.slice(done, at)
    if (!complete) this.preceding.add(buffer, at)
    this.held = at === length ? '' : buffer.slice(at)
    this.careful = 0
    this.offset += at
    return released
  }

  /** Goes on to the next place where a match may start, or to the end. */
  private seek(buffer: string, from: number, complete: boolean): number {
    const { alphabet, screen } = this.rules
    let at = from
    while (at < buffer.length && this.state === null) {
      if (at >= this.careful) {
        const clear = screen.clear(buffer, at, this.before, complete)
        if (clear > at) {
          this.before = alphabet.classOf[charCodeAt.call(buffer, clear - 1)] ?? 0
          this.runBefore = 0
          at = clear
        }
        this.careful = screen.until
      } else {
        at = this.seekWithin(buffer, at, this.careful)
      }
    }
    return at
  }

  /** As above, place by place. */
  private seekWithin(buffer: string, from: number, to: number): number {
    const { alphabet, automaton } = this.rules
    const { classOf } = alphabet
    let { before, runBefore: run } = this
    let start = this.rules.startAfter(before)
    let at = from
    for (; at < to; at++) {
      const unit = charCodeAt.call(buffer, at)
      const rawClass = classOf[unit] ?? 0
      let unitClass = rawClass
      if (rawClass === IGNORABLE_CLASS) {
        unitClass = this.classAt(rawClass, unit, run)
        if (unitClass === IGNORABLE_CLASS) {
          run++
          continue
        }
      }
      if (start) {
        const row = run === 0 ? automaton.run(start, buffer, at, classOf) : NO_ROW
        if (row !== FAILS) {
          const known = row !== NO_ROW
          this.state = known ? automaton.stateOf(row) : start
          this.read = known ? buffer.length - at : 0
          this.run = run
          this.matchEnd = this.read
          break
        }
      }
      run = isKept(rawClass) ? run + 1 : 0
      if (unitClass !== before) {
        before = unitClass
        start = this.rules.startAfter(before)
      }
    }
    this.before = before
    this.runBefore = run
    return at
  }

  /** Reads on with the candidate at `from`; null: it is none, otherwise the match it became. */
  private follow(buffer: string, from: number, complete: boolean): Candidate | null | 'undecided' {
    const { alphabet, automaton, tails } = this.rules
    const { classOf } = alphabet
    const length = buffer.length
    let state = this.state as State
    let { run } = this
    let at = from + this.read
    while (at < length) {
      const unit = charCodeAt.call(buffer, at)
      const rawClass = classOf[unit] ?? 0
      let unitClass = rawClass
      if (rawClass === IGNORABLE_CLASS) {
        unitClass = this.classAt(rawClass, unit, run)
        if (unitClass === IGNORABLE_CLASS) {
          run++
          at++
          continue
        }
      }
      if (state.accepts) {
        this.matched(state.accepts, unitClass)
      }
      const known = state.next[unitClass]
      const next = known === undefined ? automaton.step(state, unitClass) : known
      if (next === null) return this.decide(buffer, from)
      run = isKept(rawClass) ? run + 1 : 0
      state = next
      at++
      this.matchEnd = at - from
      if (state.accepts) {
        for (const rule of state.accepts) if (tails[rule]) return { rule, end: this.matchEnd }
        if (!state.open && this.settled(buffer, from, state)) return this.decide(buffer, from)
      }
    }
    if (complete) {
      if (state.accepts) this.matched(state.accepts, START_CLASS)
      return this.decide(buffer, from)
    }
    this.state = state
    this.run = run
    this.read = at - from
    return 'undecided'
  }

  /** Matches end here, those aside that must not stand in front of the class. */
  private matched(rules: readonly number[], unitClass: number): void {
    for (const rule of rules) {
      if (!this.rules.notBefore[rule]?.[unitClass]) this.add(rule)
    }
  }

  private add(rule: number): void {
    this.candidates ??= []
    this.candidates.push({ rule, end: this.matchEnd })
  }

  /**
   * No rule can read on from `state`. Whether that decides it, or the next character still matters: it does where a rule
   * that would otherwise match must not stand in front of some characters.
   */
  private settled(buffer: string, from: number, state: State): boolean {
    for (const rule of state.accepts ?? []) {
      if (!this.rules.notBefore[rule]) this.add(rule)
      else if (this.valid(buffer, from, { rule, end: this.matchEnd })) return false
    }
    return true
  }

  /** The longest candidate that counts, among equals the one declared first. */
  private decide(buffer: string, from: number): Candidate | null {
    const { candidates } = this
    if (candidates === null) return null
    if (candidates.length > 1) candidates.sort((one, other) => other.end - one.end || one.rule - other.rule)
    return candidates.find(candidate => this.valid(buffer, from, candidate)) ?? null
  }

  private valid(buffer: string, from: number, candidate: Candidate): boolean {
    const { rules, validators } = this.rules
    const { plausible } = rules[candidate.rule] as RuleDefinition
    const validate = validators[candidate.rule]
    if (!validate) return true
    const match = fold(buffer.slice(from, from + candidate.end)).text
    if (plausible && !plausible(match)) return false
    return validate(match, this.preceding.before(buffer, from, this.offset + from))
  }

  /** Drops the text of an open-ended match; returns where it stands, and leaves the tail when it is over. */
  private skipTail(buffer: string, from: number): number {
    const tail = this.tail as TailMachine
    const { classOf } = this.rules.alphabet
    let at = from
    let consumed = from
    // `runBefore` counts the run behind the last unit that belongs to the match.
    let run = this.runBefore
    while (at < buffer.length) {
      const unit = charCodeAt.call(buffer, at)
      const unitClass = this.classAt(classOf[unit] ?? 0, unit, run)
      if (unitClass === IGNORABLE_CLASS) {
        run++
        at++
        continue
      }
      if (!tail.body[unitClass]) {
        this.tail = undefined
        break
      }
      run = isKept(classOf[unit]) ? run + 1 : 0
      at++
      consumed = at
      this.before = unitClass
      this.runBefore = run
      if (tail.end && this.tailEnd) {
        this.tailEnd = tail.end.step(this.tailEnd, unitClass)
        if (this.tailEnd?.accepts) {
          this.tail = undefined
          break
        }
      }
    }
    return consumed
  }

  /** The class that counts: a zero-width character is skipped, unless its run is too long. */
  private classAt(unitClass: number, unit: number, run: number): number {
    return unitClass === IGNORABLE_CLASS && run >= MAX_IGNORABLE_RUN ? this.rules.alphabet.classOfKept(unit) : unitClass
  }

  /** A unit that starts no match is left behind. */
  private passed(unit: number, unitClass: number): void {
    this.runBefore = isKept(this.rules.alphabet.classOf[unit]) ? this.runBefore + 1 : 0
    this.before = unitClass
  }

  /** A match is left behind: what stands before the next position is its last character. */
  private enter(buffer: string, from: number, end: number): void {
    const { classOf } = this.rules.alphabet
    for (let at = from; at < end; at++) {
      const unit = charCodeAt.call(buffer, at)
      const unitClass = this.classAt(classOf[unit] ?? 0, unit, this.runBefore)
      if (unitClass === IGNORABLE_CLASS) this.runBefore++
      else this.passed(unit, unitClass)
    }
  }
}

/** Whether a unit of this class is of a kind that is skipped (it counts only as part of a long run). */
function isKept(unitClass: number | undefined): boolean {
  return unitClass === IGNORABLE_CLASS
}

/** A whole text with every match replaced. */
export function scanText(rules: RuleSet, text: string, replace: Replace): string {
  return new Scanner(rules, replace).whole(text)
}

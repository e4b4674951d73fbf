import { type GuardAction, type GuardSide, label } from './policy.ts'
import type { RuleDefinition } from './rule.ts'
import { Scanner } from './scanner.ts'

/** How often a rule was met, and what was done about it. */
export interface GuardCount {
  readonly rule: string
  readonly action: GuardAction
  readonly count: number
}

/** One growing text under guard. `push` and `end` return what may be let out. */
export interface GuardedText {
  push(text: string): string
  end(): string
  /** Characters held back now. */
  readonly heldLength: number
}

/**
 * Guards the texts of one request in one direction and keeps the tally. Once `blocked` is set, nothing more may be let out:
 * what the texts returned up to then stands in front of the match that must not pass.
 */
export class TextGuard {
  /** The rule that stopped the text, when one did. */
  blocked: RuleDefinition | null = null
  private readonly side: GuardSide
  private readonly counts = new Map<string, { action: GuardAction; count: number }>()

  constructor(side: GuardSide) {
    this.side = side
  }

  /** Whether any rule could change a text: if none, text need not be held or dropped. */
  get enforces(): boolean {
    return this.side.enforced !== null
  }

  /** Opens a text that comes in pieces. */
  open(): GuardedText {
    const { enforced, flagged } = this.side
    const scanner = enforced && new Scanner(enforced, ({ rule }) => this.act(rule))
    if (!flagged) return scanner ? this.stoppable(scanner) : PASS
    const watcher = new Scanner(flagged, ({ rule }, match) => {
      this.note(rule, 'flag')
      return match
    })
    const inner = scanner ? this.stoppable(scanner) : PASS
    return {
      push: text => {
        watcher.push(text)
        return inner.push(text)
      },
      end: () => {
        watcher.end()
        return inner.end()
      },
      get heldLength() {
        return inner.heldLength
      },
    }
  }

  /** Guards a text that is there as a whole. */
  whole(text: string): string {
    const guarded = this.open()
    return guarded.push(text) + guarded.end()
  }

  tally(): GuardCount[] {
    return [...this.counts].map(([rule, { action, count }]) => ({ rule, action, count }))
  }

  private act(rule: RuleDefinition): string {
    if (this.blocked) return ''
    const action = this.side.actionOf(rule)
    this.note(rule, action)
    if (action !== 'block') return label(rule)
    this.blocked = rule
    return STOP
  }

  /** Cuts what a scanner returns at the match that blocks. */
  private stoppable(scanner: Scanner): GuardedText {
    const cut = (text: string): string => {
      if (!this.blocked) return text
      const stop = text.indexOf(STOP)
      return stop < 0 ? '' : text.slice(0, stop)
    }
    return {
      push: text => (this.blocked ? '' : cut(scanner.push(text))),
      end: () => (this.blocked ? '' : cut(scanner.end())),
      get heldLength() {
        return scanner.heldLength
      },
    }
  }

  private note(rule: RuleDefinition, action: GuardAction): void {
    const known = this.counts.get(rule.name)
    if (known) known.count++
    else this.counts.set(rule.name, { action, count: 1 })
  }
}

/** Stands where a blocking match was. A lone surrogate and a private character: no text of a model holds it by accident,
 * and if it did, more would be cut, not less. */
const STOP = '\ud800\ue000\ud800'

const PASS: GuardedText = { push: text => text, end: () => '', heldLength: 0 }

import { type GuardAction, type GuardSide, label } from './policy.ts'
import type { RuleDefinition } from './rule.ts'
import type { RuleSet } from './rule-set.ts'
import { type Replace, Scanner, scanText } from './scanner.ts'

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
  /** Made with the first finding. */
  private counts: Map<string, { action: GuardAction; count: number }> | null = null

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
    return enforced || flagged ? new OpenText(this, enforced, flagged) : PASS
  }

  /** Guards a text that is there as a whole. */
  whole(text: string): string {
    const { enforced, flagged } = this.side
    if (flagged && !isClear(flagged, text)) scanText(flagged, text, this.flag)
    if (this.blocked) return ''
    return enforced && !isClear(enforced, text) ? this.cut(scanText(enforced, text, this.enforce)) : text
  }

  tally(): GuardCount[] {
    return [...(this.counts ?? [])].map(([rule, { action, count }]) => ({ rule, action, count }))
  }

  /** Notes a finding of a rule that is flagged. */
  get flag(): Replace {
    return ({ rule }, match) => {
      this.note(rule, 'flag')
      return match
    }
  }

  /** Does what the policy says about a finding. */
  get enforce(): Replace {
    return ({ rule }) => this.act(rule)
  }

  /** Cuts what a scanner returned at the match that blocks. */
  cut(text: string): string {
    if (!this.blocked) return text
    const stop = text.indexOf(STOP)
    return stop < 0 ? '' : text.slice(0, stop)
  }

  private act(rule: RuleDefinition): string {
    if (this.blocked) return ''
    const action = this.side.actionOf(rule)
    this.note(rule, action)
    if (action !== 'block') return label(rule)
    this.blocked = rule
    return STOP
  }

  private note(rule: RuleDefinition, action: GuardAction): void {
    this.counts ??= new Map()
    const known = this.counts.get(rule.name)
    if (known) known.count++
    else this.counts.set(rule.name, { action, count: 1 })
  }
}

class OpenText implements GuardedText {
  private readonly guard: TextGuard
  private readonly scanner: Scanner | null
  private readonly watcher: Scanner | null

  constructor(guard: TextGuard, enforced: RuleSet | null, flagged: RuleSet | null) {
    this.guard = guard
    this.scanner = enforced && new Scanner(enforced, guard.enforce)
    this.watcher = flagged && new Scanner(flagged, guard.flag)
  }

  get heldLength(): number {
    return this.scanner?.heldLength ?? 0
  }

  push(text: string): string {
    const { guard, scanner } = this
    this.watcher?.push(text)
    if (!scanner) return text
    return guard.blocked ? '' : guard.cut(scanner.push(text))
  }

  end(): string {
    const { guard, scanner } = this
    this.watcher?.end()
    return guard.blocked || !scanner ? '' : guard.cut(scanner.end())
  }
}

/** Whether no rule matches anything in the text, as far as can be told quickly. */
function isClear({ screen }: RuleSet, text: string): boolean {
  return screen.isClear(text)
}

/** Stands where a blocking match was. A lone surrogate and a private character: no text of a model holds it by accident,
 * and if it did, more would be cut, not less. */
const STOP = '\ud800\ue000\ud800'

const PASS: GuardedText = { push: text => text, end: () => '', heldLength: 0 }

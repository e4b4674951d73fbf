import { findAll, findAllInSteps, replaceAll } from './find-all.ts'
import type { GuardAction, GuardSide } from './policy.ts'
import { hashLabel, label, mask } from './replacement.ts'
import type { RuleDefinition } from './rule.ts'
import type { RuleSet } from './rule-set.ts'
import { type Finding, type Replace, Scanner, scanText } from './scanner.ts'
import type { StandIns } from './stand-ins.ts'
import { SLICE, type Steps } from './turns.ts'

/** How often a rule was met, and what was done about it. */
export interface GuardCount {
  readonly rule: string
  readonly action: GuardAction
  readonly count: number
}

/** What the rules of a policy find in a text: those that act, and those that are flagged. */
export interface Found {
  readonly enforced: readonly Finding[]
  readonly flagged: readonly Finding[]
}

/** One growing text under guard. `push` and `end` return what may be let out. */
export interface GuardedText {
  push(text: string): string
  end(): string
  /** Characters held back now. */
  readonly heldLength: number
}

/** What the texts of an answer go through. */
export interface TextFilter {
  /** The rule that stopped the text, when one did. */
  blocked: RuleDefinition | null
  /** Whether a text could be changed: if not, it need not be held or dropped. */
  readonly enforces: boolean
  /** Opens a text that comes in pieces. */
  open(): GuardedText
  /** Filters a text that is there as a whole. */
  whole(text: string): string
  /** As `whole`, in steps. */
  inSteps(text: string): Steps<string>
  /** A filter of the same kind with a tally of its own: for texts that are looked at and not let out. */
  twin(): TextFilter
}

/**
 * Guards the texts of one request in one direction and keeps the tally. Once `blocked` is set, nothing more may be let out:
 * what the texts returned up to then stands in front of the match that must not pass.
 */
export class TextGuard implements TextFilter {
  blocked: RuleDefinition | null = null
  private readonly side: GuardSide
  private readonly standIns: () => StandIns
  /** Made with the first finding. */
  private counts: Map<string, { action: GuardAction; count: number }> | null = null

  /** `standIns`: asked for when the first value needs one, of the request that the texts belong to. */
  constructor(side: GuardSide, standIns: () => StandIns = noStandIns) {
    this.side = side
    this.standIns = standIns
  }

  get enforces(): boolean {
    return this.side.enforced !== null
  }

  twin(): TextGuard {
    return new TextGuard(this.side, this.standIns)
  }

  open(): GuardedText {
    const { enforced, flagged } = this.side
    return enforced || flagged ? new OpenText(this, enforced, flagged) : PASS
  }

  /** `found`: what `find` has found in the text. */
  whole(text: string, found?: Found): string {
    const { enforced, flagged } = this.side
    if (found) for (const { rule } of found.flagged) this.note(rule, 'flag')
    else if (flagged && !isClear(flagged, text)) scanText(flagged, text, this.flag)
    if (this.blocked || !enforced) return this.blocked ? '' : text
    if (!found && isClear(enforced, text)) return text
    return this.cut(replaceAll(text, found?.enforced ?? findAll(enforced, text), this.enforce))
  }

  *inSteps(text: string): Steps<string> {
    return text.length <= SLICE ? this.whole(text) : this.whole(text, yield* this.find(text))
  }

  /** Looks through a text for `whole`, in steps; changes nothing. */
  *find(text: string): Steps<Found> {
    const { enforced, flagged } = this.side
    return {
      enforced: enforced ? yield* findAllInSteps(enforced, text) : [],
      flagged: flagged ? yield* findAllInSteps(flagged, text) : [],
    }
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
    return ({ rule }, match) => this.act(rule, match)
  }

  /** Cuts a text with its matches replaced at the one that blocks. */
  cut(text: string): string {
    if (!this.blocked) return text
    const stop = text.indexOf(STOP)
    return stop < 0 ? '' : text.slice(0, stop)
  }

  /** What stands in place of a value that goes on: of one that blocks, too, its label. */
  replacementOf(rule: RuleDefinition, value: string): string {
    const { digest } = this.side
    switch (this.side.actionOf(rule)) {
      case 'pseudonymise':
        return this.standIns().of(rule, value)
      case 'mask':
        return isOpen(rule) ? label(rule) : this.mask(rule, value)
      case 'hash':
        return isOpen(rule) || !digest ? label(rule) : hashLabel(rule, value, digest)
      default:
        return label(rule)
    }
  }

  private act(rule: RuleDefinition, value: string): string {
    if (this.blocked) return ''
    const action = this.side.actionOf(rule)
    this.note(rule, action)
    if (action !== 'block') return this.replacementOf(rule, value)
    this.blocked = rule
    return STOP
  }

  /** What is left of a value must be nothing that a rule would find. */
  private mask(rule: RuleDefinition, value: string): string {
    const { enforced } = this.side
    const forms = [mask(rule, value), mask(rule, value, 0)]
    return forms.find(form => !enforced || findAll(enforced, form).length === 0) ?? label(rule)
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

/** Whether a match goes on without a bound: what replaces it goes out before its end is known. */
function isOpen(rule: RuleDefinition): boolean {
  return rule.tail !== undefined
}

function noStandIns(): never {
  throw new Error('only the texts of requests have stand-ins')
}

/** Whether no rule matches anything in the text, as far as can be told quickly. */
function isClear({ screen }: RuleSet, text: string): boolean {
  return screen.isClear(text)
}

/** Stands where a blocking match was. A lone surrogate and a private character: no text of a model holds it by accident,
 * and if it did, more would be cut, not less. */
const STOP = '\ud800\ue000\ud800'

const PASS: GuardedText = { push: text => text, end: () => '', heldLength: 0 }

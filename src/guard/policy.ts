import type { Digest } from './replacement.ts'
import type { RuleDefinition, RuleGroup } from './rule.ts'
import { compileRules, type RuleFault, type RuleSet } from './rule-set.ts'

/** What happens to text that a rule recognises. `off`: the rule does not run. */
export type GuardAction = 'off' | 'flag' | 'redact' | 'mask' | 'hash' | 'pseudonymise' | 'block'

/** Whether the action lets no text through as it came. */
export function isEnforced(action: GuardAction): boolean {
  return action !== 'off' && action !== 'flag'
}

/** The rules of one direction (input or output), compiled. */
export interface GuardSide {
  /** Rules that change or stop text; null for none. */
  readonly enforced: RuleSet | null
  /** Rules that only leave a note. Kept apart, so that a long harmless match never shadows one that must be acted on. */
  readonly flagged: RuleSet | null
  readonly actionOf: (rule: RuleDefinition) => GuardAction
  /** Null where no rule hashes. */
  readonly digest: Digest | null
}

/** A rule with what is to be done, as policy decided. */
export interface RuledAction {
  readonly rule: RuleDefinition
  readonly action: GuardAction
}

export type SideResult =
  | { readonly ok: true; readonly side: GuardSide }
  | { readonly ok: false; readonly faults: readonly RuleFault[] }

/** The actions of the built-in groups, applied to rules. */
export function byGroup(
  rules: readonly RuleDefinition[],
  actions: Readonly<Partial<Record<RuleGroup, GuardAction>>>,
): RuledAction[] {
  return rules.map(rule => ({ rule, action: actions[rule.group] ?? 'off' }))
}

/**
/**
 * Compiles one direction's rules. The company's own stand in front: among equal matches they win. `digest` is needed
 * where a rule hashes.
 * @param compile in place of `compileRules`: a caller that has several sides remembers what is compiled
 */
export function compileSide(
  ruled: readonly RuledAction[],
  digest: Digest | null = null,
  compile = compileRules,
): SideResult {
  if (!digest && ruled.some(({ action }) => action === 'hash')) throw new Error('hashing needs a key')
  const enforced = ruled.filter(({ action }) => isEnforced(action)).map(({ rule }) => rule)
  const flagged = ruled.filter(({ action }) => action === 'flag').map(({ rule }) => rule)
  const compiledEnforced = compile(enforced)
  const compiledFlagged = compile(flagged)
  if (!compiledEnforced.ok) return compiledEnforced
  if (!compiledFlagged.ok) return compiledFlagged
  const actions = new Map(ruled.map(({ rule, action }) => [rule.name, action]))
  return {
    ok: true,
    side: {
      enforced: enforced.length > 0 ? compiledEnforced.ruleSet : null,
      flagged: flagged.length > 0 ? compiledFlagged.ruleSet : null,
      actionOf: rule => actions.get(rule.name) ?? 'off',
      digest,
    },
  }
}

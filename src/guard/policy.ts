import type { RuleDefinition, RuleGroup } from './rule.ts'
import { compileRules, type RuleFault, type RuleSet } from './rule-set.ts'

/** What happens to text that a rule recognises. `off`: the rule does not run. */
export type GuardAction = 'off' | 'flag' | 'redact' | 'block'

/** The rules of one direction (input or output), compiled. */
export interface GuardSide {
  /** Rules that change or stop text; null for none. */
  readonly enforced: RuleSet | null
  /** Rules that only leave a note. Kept apart, so that a long harmless match never shadows one that must be acted on. */
  readonly flagged: RuleSet | null
  readonly actionOf: (rule: RuleDefinition) => GuardAction
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
 * Compiles one direction's rules. The company's own stand in front: among equal matches they win.
 * @param compile in place of `compileRules`: a caller that has several sides remembers what is compiled
 */
export function compileSide(ruled: readonly RuledAction[], compile = compileRules): SideResult {
  const withAction = (...wanted: GuardAction[]) =>
    ruled.filter(({ action }) => wanted.includes(action)).map(({ rule }) => rule)
  const enforced = withAction('redact', 'block')
  const flagged = withAction('flag')
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
    },
  }
}

/** What stands in place of a match that is redacted. */
export function label({ name, replacement }: RuleDefinition): string {
  return replacement ?? `[${name}_REDACTED]`
}

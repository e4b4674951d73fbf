import type { GuardAction } from '../guard/policy.ts'
import { BUILT_IN_RULES, OPTIONAL_RULES } from '../guard/recognisers/index.ts'
import type { RuleDefinition } from '../guard/rule.ts'
import type { GuardConfig, GuardMatch, GuardRuleConfig } from './config.ts'
import { at } from './fault.ts'
import { definitionsOf } from './own-rules.ts'

export type Direction = 'input' | 'output'

/** Who asks, for which model; what is not known matches no exception that names it. */
export type Caller = Readonly<Partial<Record<'team' | 'app' | 'env' | 'model', string>>>

/** A value, and the path of the setting that it comes from. */
export interface Setting<T> {
  readonly value: T
  readonly setBy: string
}

/** A rule, what is done about what it finds, and the path of the setting that says so. */
export interface RuleInForce {
  readonly rule: RuleDefinition
  readonly action: GuardAction
  readonly setBy: string
}

/** The settings of one direction, with an exception laid over them or without. */
export interface SideInForce {
  readonly pii: Setting<GuardAction>
  readonly secrets: Setting<GuardAction>
  /** Absent: all. */
  readonly locales: Setting<readonly string[] | undefined>
  /** Every rule there is, those that are off too, in the order of precedence: the company's own first. */
  readonly rules: readonly RuleInForce[]
}

/** The index of the exception that counts for a caller: the first that matches. */
export function exceptionFor({ exceptions }: GuardConfig, caller: Caller): number | undefined {
  const index = exceptions.findIndex(({ match }) => matches(match, caller))
  return index < 0 ? undefined : index
}

/** Whether every property that is given names the caller's. */
function matches({ team, app, env, model }: GuardMatch, caller: Caller): boolean {
  return names(team, caller.team) && names(app, caller.app) && names(env, caller.env) && names(model, caller.model)
}

function names(values: readonly string[] | undefined, value: string | undefined): boolean {
  return values === undefined || (value !== undefined && values.includes(value))
}

/** What a policy makes of every rule. An own rule is defined once, for all policies. */
export class RuleBook {
  private readonly guard: GuardConfig
  private readonly own: readonly { readonly config: GuardRuleConfig; readonly rules: readonly RuleDefinition[] }[]

  constructor(guard: GuardConfig) {
    this.guard = guard
    this.own = guard.rules.map(config => ({ config, rules: definitionsOf(config) }))
  }

  /** All there is: the company's own rules, those built in, and those that have to be switched on. */
  get everything(): RuleDefinition[] {
    return [...this.own.flatMap(({ rules }) => rules), ...BUILT_IN_RULES, ...OPTIONAL_RULES]
  }

  /**
   * One direction of the general policy, or of an exception laid over it key by key. What names a rule goes before the
   * locale it belongs to, and that before its group.
   */
  side(direction: Direction, exception?: number): SideInForce {
    const general = this.guard[direction]
    const special = exception === undefined ? undefined : this.guard.exceptions[exception]?.[direction]
    const path = (special: boolean, key: string) =>
      at(special ? at(at('guard.exceptions', exception ?? 0), direction) : `guard.${direction}`, key)
    const setting = <K extends 'pii' | 'secrets' | 'locales'>(key: K) => {
      const value = special?.[key]
      return value === undefined ? { value: general[key], setBy: path(false, key) } : { value, setBy: path(true, key) }
    }
    const groups = { pii: setting('pii'), secrets: setting('secrets') }
    const locales = setting('locales')

    const named = (rule: RuleDefinition): RuleInForce | undefined => {
      for (const [side, isSpecial] of [
        [special, true],
        [general, false],
      ] as const) {
        const rules = side?.rules ?? {}
        const action = Object.hasOwn(rules, rule.name) ? rules[rule.name] : undefined
        if (action !== undefined) return { rule, action, setBy: path(isSpecial, `rules.${rule.name}`) }
      }
      return undefined
    }
    const own = this.own.flatMap(({ config: { on, action }, rules }, index) => {
      const setBy = at('guard.rules', index)
      const byItself = on.includes(direction)
        ? { action, setBy: at(setBy, 'action') }
        : { action: 'off' as const, setBy: at(setBy, 'on') }
      return rules.map(rule => named(rule) ?? { rule, ...byItself })
    })
    const builtIn = (rule: RuleDefinition): RuleInForce => {
      const group = groups[rule.group as 'pii' | 'secrets']
      const packed = rule.locale !== undefined && locales.value?.includes(rule.locale) === false
      return packed ? { rule, action: 'off', setBy: locales.setBy } : { rule, action: group.value, setBy: group.setBy }
    }
    return {
      ...groups,
      locales,
      rules: [
        ...own,
        ...BUILT_IN_RULES.map(rule => named(rule) ?? builtIn(rule)),
        ...OPTIONAL_RULES.map(rule => named(rule) ?? { rule, action: 'off' as const, setBy: 'it has to be named' }),
      ],
    }
  }
}

/** Names what is compiled together: rules of equal names are equal. */
export function ruleSetKey(rules: readonly RuleDefinition[]): string {
  return rules.map(({ name }) => name).join()
}

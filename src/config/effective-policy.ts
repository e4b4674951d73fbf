import type { QuotaLimit } from '../quota/limit.ts'
import { appliesTo } from '../quota/plan.ts'
import type { Config, GuardAction, InjectionAction, OnBlock } from './config.ts'
import { at } from './fault.ts'
import {
  type Caller,
  type Direction,
  exceptionFor,
  RuleBook,
  type Setting,
  type SideInForce,
} from './rules-in-force.ts'

/** What applies to the requests of one caller for some models. */
export interface EffectivePolicy {
  readonly models: readonly string[]
  /** The path of the exception that counts; null for the general policy. */
  readonly exception: string | null
  readonly input: EffectiveSide & {
    readonly injection: Setting<InjectionAction>
    readonly injectionThreshold: Setting<number>
  }
  readonly output: EffectiveSide & {
    readonly maxCharacters: Setting<number | null>
    readonly onBlock: Setting<OnBlock>
  }
  /** The limits that a request has to fit into. */
  readonly quotas: readonly QuotaLimit[]
}

export interface EffectiveSide {
  readonly pii: Setting<GuardAction>
  readonly secrets: Setting<GuardAction>
  readonly locales: Setting<readonly string[] | 'all'>
  /** By name: the rules that do not simply follow their group or locale. */
  readonly rules: Readonly<Record<string, Setting<GuardAction>>>
}

/** What applies to a caller, model by model; models for which it is all the same stand together. */
export function effectivePolicies(config: Config, caller: Caller, models: readonly string[]): EffectivePolicy[] {
  const book = new RuleBook(config.guard)
  const asked = models.map(model => ({
    model,
    exception: exceptionFor(config.guard, { ...caller, model }),
    quotas: config.quotas.filter(limit => appliesTo(limit, caller, model)),
  }))
  const alike = Map.groupBy(asked, ({ exception, quotas }) => JSON.stringify([exception, quotas.map(q => q.name)]))
  return [...alike.values()].map(group => {
    const { exception, quotas } = group[0] as (typeof asked)[number]
    return {
      models: group.map(({ model }) => model),
      exception: exception === undefined ? null : at('guard.exceptions', exception),
      ...guardOf(config, book, exception),
      quotas,
    }
  })
}

function guardOf({ guard }: Config, book: RuleBook, exception: number | undefined) {
  const special = exception === undefined ? undefined : guard.exceptions[exception]
  const path = (direction: Direction, key: string, isSpecial: boolean) =>
    `${isSpecial ? at('guard.exceptions', exception ?? 0) : 'guard'}.${direction}.${key}`
  const injection = special?.input?.injection
  const injectionThreshold = special?.input?.injectionThreshold
  const maxCharacters = special?.output?.maxCharacters
  const onBlock = special?.output?.onBlock
  return {
    input: {
      injection: {
        value: injection ?? guard.input.injection,
        setBy: path('input', 'injection', injection !== undefined),
      },
      injectionThreshold: {
        value: injectionThreshold ?? guard.input.injectionThreshold,
        setBy: path('input', 'injectionThreshold', injectionThreshold !== undefined),
      },
      ...effectiveSide(book.side('input', exception)),
    },
    output: {
      ...effectiveSide(book.side('output', exception)),
      maxCharacters: {
        value: maxCharacters ?? guard.output.maxCharacters ?? null,
        setBy: path('output', 'maxCharacters', maxCharacters !== undefined),
      },
      onBlock: {
        value: onBlock ?? guard.output.onBlock,
        setBy: path('output', 'onBlock', onBlock !== undefined),
      },
    },
  }
}

function effectiveSide({ pii, secrets, locales, rules }: SideInForce): EffectiveSide {
  const general = new Set([pii.setBy, secrets.setBy, locales.setBy])
  const own = rules.filter(({ rule, setBy, action }) => (rule.optional ? action !== 'off' : !general.has(setBy)))
  return {
    pii,
    secrets,
    locales: { value: locales.value ?? 'all', setBy: locales.setBy },
    rules: Object.fromEntries(own.map(({ rule, action, setBy }) => [rule.name, { value: action, setBy }])),
  }
}

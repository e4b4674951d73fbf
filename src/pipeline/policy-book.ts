import type { Config, GuardExceptionConfig } from '../config/config.ts'
import {
  byGroup,
  compileSide,
  type GuardAction,
  type GuardSide,
  isEnforced,
  type RuledAction,
} from '../guard/policy.ts'
import { BUILT_IN_RULES } from '../guard/recognisers/index.ts'
import type { Digest } from '../guard/replacement.ts'
import type { RuleDefinition } from '../guard/rule.ts'
import type { RuleFault } from '../guard/rule-set.ts'
import type { RequestPolicy } from './exchange.ts'

/** The policies of all callers, compiled once. Equal rule sets are shared. */
export interface PolicyBook {
  policyFor(caller: {
    readonly team: string
    readonly app: string
    readonly env: string
    readonly model: string
  }): RequestPolicy
}

export type PolicyBookResult =
  | { readonly ok: true; readonly book: PolicyBook }
  | { readonly ok: false; readonly faults: readonly RuleFault[] }

/** Compiles the guard's configuration: the general policy, and one for each exception. `digest` is for rules that hash. */
export function compilePolicies(guard: Config['guard'], digest: Digest): PolicyBookResult {
  const faults: RuleFault[] = []
  const sides = new Map<string, GuardSide>()
  const side = (own: readonly RuledAction[], pii: GuardAction, secrets: GuardAction): GuardSide | null => {
    // Rules are told apart by their names, so this says all: directions that ask for the same share it.
    const key = JSON.stringify([pii, secrets, ...own.map(({ rule, action }) => [rule.name, action])])
    const known = sides.get(key)
    if (known) return known
    const compiled = compileSide([...own, ...byGroup(BUILT_IN_RULES, { pii, secrets })], digest)
    if (!compiled.ok) {
      faults.push(...compiled.faults)
      return null
    }
    sides.set(key, compiled.side)
    return compiled.side
  }
  const ownInput = ownRules(guard, 'input')
  const ownOutput = ownRules(guard, 'output')
  const record = (pii: GuardAction, secrets: GuardAction): GuardSide | null => {
    if (isEnforced(pii) && isEnforced(secrets) && ownOutput.every(({ action }) => isEnforced(action))) return null
    const redacted = ownOutput.map(({ rule }): RuledAction => ({ rule, action: 'redact' }))
    return side(redacted, 'redact', 'redact')
  }
  const policy = (exception?: GuardExceptionConfig): RequestPolicy | null => {
    const input = { ...guard.input, ...exception?.input }
    const output = { ...guard.output, ...exception?.output }
    const inputSide = side(ownInput, input.pii, input.secrets)
    const outputSide = side(ownOutput, output.pii, output.secrets)
    if (!inputSide || !outputSide) return null
    return {
      injection: input.injection,
      input: inputSide,
      output: outputSide,
      record: record(output.pii, output.secrets),
      maxCharacters: output.maxCharacters ?? Number.POSITIVE_INFINITY,
      validators: exception?.validators,
    }
  }
  const general = policy()
  const exceptions = guard.exceptions.map(exception => ({ match: exception.match, policy: policy(exception) }))
  if (!general || faults.length > 0) return { ok: false, faults: distinct(faults) }
  return {
    ok: true,
    book: {
      policyFor(caller) {
        for (const { match, policy: special } of exceptions) {
          const applies =
            (match.team ?? caller.team) === caller.team &&
            (match.app ?? caller.app) === caller.app &&
            (match.env ?? caller.env) === caller.env &&
            (match.model ?? caller.model) === caller.model
          if (applies && special) return special
        }
        return general
      },
    },
  }
}

/** The company's own rules of one direction, as definitions. */
export function ownRules(guard: Config['guard'], direction: 'input' | 'output'): RuledAction[] {
  return guard.rules
    .filter(({ on }) => on.includes(direction))
    .map(({ name, pattern, action }) => {
      const rule: RuleDefinition = {
        name,
        group: 'custom',
        description: 'A rule of this deployment.',
        pattern,
        examples: [],
        counterExamples: [],
      }
      return { rule, action }
    })
}

function distinct(faults: readonly RuleFault[]): RuleFault[] {
  return [...new Map(faults.map(fault => [`${fault.rule} ${fault.reason}`, fault])).values()]
}

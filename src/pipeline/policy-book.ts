import type { Config, GuardExceptionConfig } from '../config/config.ts'
import { byGroup, compileSide, type GuardAction, type GuardSide, type RuledAction } from '../guard/policy.ts'
import { BUILT_IN_RULES } from '../guard/recognisers/index.ts'
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

/** Compiles the guard's configuration: the general policy, and one for each exception. */
export function compilePolicies(guard: Config['guard']): PolicyBookResult {
  const faults: RuleFault[] = []
  const sides = new Map<string, GuardSide>()
  const side = (direction: 'input' | 'output', pii: GuardAction, secrets: GuardAction): GuardSide | null => {
    const key = `${direction} ${pii} ${secrets}`
    const known = sides.get(key)
    if (known) return known
    const compiled = compileSide([...ownRules(guard, direction), ...byGroup(BUILT_IN_RULES, { pii, secrets })])
    if (!compiled.ok) {
      faults.push(...compiled.faults)
      return null
    }
    sides.set(key, compiled.side)
    return compiled.side
  }
  let recordSide: GuardSide | null = null
  const record = (pii: GuardAction, secrets: GuardAction): GuardSide | null => {
    const own = ownRules(guard, 'output')
    const acts = (action: GuardAction) => action === 'redact' || action === 'block'
    if (acts(pii) && acts(secrets) && own.every(({ action }) => acts(action))) return null
    if (!recordSide) {
      const redacted = own.map(({ rule }): RuledAction => ({ rule, action: 'redact' }))
      const built = byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' })
      const compiled = compileSide([...redacted, ...built])
      if (compiled.ok) recordSide = compiled.side
      else faults.push(...compiled.faults)
    }
    return recordSide
  }
  const policy = (exception?: GuardExceptionConfig): RequestPolicy | null => {
    const input = { ...guard.input, ...exception?.input }
    const output = { ...guard.output, ...exception?.output }
    const inputSide = side('input', input.pii, input.secrets)
    const outputSide = side('output', output.pii, output.secrets)
    if (!inputSide || !outputSide) return null
    return {
      injection: input.injection,
      input: inputSide,
      output: outputSide,
      record: record(output.pii, output.secrets),
      maxCharacters: output.maxCharacters ?? Number.POSITIVE_INFINITY,
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

import type { Config } from '../config/config.ts'
import { type Caller, exceptionFor, RuleBook, ruleSetKey } from '../config/rules-in-force.ts'
import { compileSide, type GuardSide, isEnforced, type RuledAction } from '../guard/policy.ts'
import type { Digest } from '../guard/replacement.ts'
import type { RuleDefinition } from '../guard/rule.ts'
import { type CompileResult, compileRules, type RuleFault } from '../guard/rule-set.ts'
import type { RequestPolicy } from './exchange.ts'

/** The policies of all callers, compiled once. */
export interface PolicyBook {
  policyFor(caller: Caller): RequestPolicy
}

export type PolicyBookResult =
  | { readonly ok: true; readonly book: PolicyBook }
  | { readonly ok: false; readonly faults: readonly RuleFault[] }

/**
 * Compiles the guard's configuration: the general policy, and one for each exception. What asks for the same rules shares
 * what is compiled of them, whatever is done about their findings. `digest` is for rules that hash.
 */
export function compilePolicies(guard: Config['guard'], digest: Digest): PolicyBookResult {
  const faults = new Map<string, RuleFault>()
  const rules = new RuleBook(guard)
  const side = sharedSides(digest, found => faults.set(`${found.rule} ${found.reason}`, found))
  const policy = (index?: number): RequestPolicy | null => {
    const special = index === undefined ? undefined : guard.exceptions[index]
    const output = rules.side('output', index).rules
    const inputSide = side(rules.side('input', index).rules)
    const outputSide = side(output)
    const recordSide = side(forRecord(output))
    if (!inputSide || !outputSide || !recordSide) return null
    return {
      injection: special?.input?.injection ?? guard.input.injection,
      injectionThreshold: special?.input?.injectionThreshold ?? guard.input.injectionThreshold,
      input: inputSide,
      output: outputSide,
      record: recordSide.enforced ? recordSide : null,
      maxCharacters: special?.output?.maxCharacters ?? guard.output.maxCharacters ?? Number.POSITIVE_INFINITY,
      onBlock: special?.output?.onBlock ?? guard.output.onBlock,
      validators: special?.validators,
    }
  }
  const general = policy()
  const exceptions = guard.exceptions.map((_, index) => policy(index))
  if (!general || faults.size > 0) return { ok: false, faults: [...faults.values()] }
  return {
    ok: true,
    book: {
      policyFor(caller) {
        const index = exceptionFor(guard, caller)
        return (index === undefined ? general : exceptions[index]) ?? general
      },
    },
  }
}

/**
 * What is redacted of an answer's beginning for the record, whatever the caller may see: what every rule finds that is on
 * unless it is switched off. None where the answer itself has been through all of them.
 */
function forRecord(output: readonly RuledAction[]): RuledAction[] {
  const always = output.filter(({ rule, action }) => action !== 'off' || rule.optional !== true)
  const all = always.every(({ action }) => isEnforced(action))
  return all ? [] : always.map(({ rule }) => ({ rule, action: 'redact' }))
}

/** Compiles sides; equal sides, and equal sets of rules of different sides, are the same object. */
function sharedSides(
  digest: Digest,
  onFault: (fault: RuleFault) => void,
): (ruled: readonly RuledAction[]) => GuardSide | null {
  const sets = new Map<string, CompileResult>()
  const sides = new Map<string, GuardSide | null>()
  const compile = (rules: readonly RuleDefinition[]): CompileResult => {
    const key = ruleSetKey(rules)
    const known = sets.get(key) ?? compileRules(rules)
    sets.set(key, known)
    return known
  }
  return ruled => {
    const key = ruled.flatMap(({ rule, action }) => (action === 'off' ? [] : `${rule.name} ${action}`)).join()
    const known = sides.get(key)
    if (known !== undefined) return known
    const compiled = compileSide(ruled, digest, compile)
    if (!compiled.ok) for (const fault of compiled.faults) onFault(fault)
    const made = compiled.ok ? compiled.side : null
    sides.set(key, made)
    return made
  }
}

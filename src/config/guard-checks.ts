import { BUILT_IN_RULES, OPTIONAL_RULES } from '../guard/recognisers/index.ts'
import { compileRules } from '../guard/rule-set.ts'
import { scanText } from '../guard/scanner.ts'
import type { Config, GuardConfig, GuardMatch, GuardRuleConfig, GuardSideConfig } from './config.ts'
import { at, type Fault } from './fault.ts'
import { MAX_PROSE_SHARE, MAX_RULE_SETS } from './limits.ts'
import { definitionsOf } from './own-rules.ts'
import { RuleBook, ruleSetKey } from './rules-in-force.ts'
import { mostLike } from './unknown-keys.ts'

const BUILT_IN_NAMES = [...BUILT_IN_RULES, ...OPTIONAL_RULES].map(({ name }) => name)

/** What is wrong with the guard's policy and cannot be seen by the schema, those of the dictionaries with it. */
export function guardFaults({ guard, models }: Config, dictionaries: readonly Fault[]): Fault[] {
  const shapes = guard.rules.flatMap((rule, index) => shapeFaults(rule, at('guard.rules', index)))
  const found = [...dictionaries, ...shapes, ...unknownRules(guard), ...exceptionFaults(guard, models)]
  // Compiling is what takes longest, and what it says of rules without a form is no help.
  return found.length > 0 ? found : [...compileFaults(guard), ...ruleSetFaults(guard)]
}

/** What is allowed and does nothing. */
export function guardWarnings({ exceptions }: GuardConfig): Fault[] {
  return exceptions.flatMap(({ match }, index) => {
    const earlier = exceptions.slice(0, index).findIndex(other => covers(other.match, match))
    if (earlier < 0) return []
    const path = at('guard.exceptions', index)
    return [
      { path, reason: `never counts: ${at('guard.exceptions', earlier)} matches all of the same and stands in front` },
    ]
  })
}

/** A fault for each value of `match.model` that no model has. */
export function unknownModels(ids: readonly string[] = [], models: Config['models'], path: string): Fault[] {
  if (ids.every(id => models.some(model => model.id === id))) return []
  return [{ path, reason: 'there is no model with this id' }]
}

function shapeFaults(rule: GuardRuleConfig, path: string): Fault[] {
  const faults: Fault[] = []
  const forms = [rule.pattern, rule.file ?? rule.terms].filter(form => form !== undefined)
  if (forms.length !== 1) faults.push({ path, reason: 'needs one of pattern, terms and file' })
  if (rule.wholeWord && (rule.notAfter ?? rule.notBefore) !== undefined) {
    faults.push({ path: at(path, 'wholeWord'), reason: 'sets notAfter and notBefore: give it, or give those' })
  }
  if (rule.action === 'pseudonymise' && rule.on.includes('output')) {
    const reason = 'pseudonymise is for what callers send; with it, set on: [input]'
    faults.push({ path: at(path, 'action'), reason })
  }
  if (/\[[A-Z0-9_]+_\d+\]/.test(rule.replacement ?? '')) {
    const reason = 'has the form of a stand-in: in answers a caller would read a value of its own there'
    faults.push({ path: at(path, 'replacement'), reason })
  }
  if (BUILT_IN_NAMES.includes(rule.name)) {
    faults.push({ path: at(path, 'name'), reason: 'a built-in rule has this name; choose another' })
  }
  return faults
}

/** Names of rules that there are none of, wherever an action is given by name. */
function unknownRules({ input, output, rules, exceptions }: GuardConfig): Fault[] {
  const known = new Set([...rules.map(({ name }) => name), ...BUILT_IN_NAMES])
  const sides: [string, Partial<GuardSideConfig> | undefined][] = [
    ['guard.input', input],
    ['guard.output', output],
    ...exceptions.flatMap((exception, index): typeof sides => [
      [at(at('guard.exceptions', index), 'input'), exception.input],
      [at(at('guard.exceptions', index), 'output'), exception.output],
    ]),
  ]
  return sides.flatMap(([path, side]) =>
    Object.keys(side?.rules ?? {})
      .filter(name => !known.has(name))
      .map(name => {
        const similar = mostLike(name, [...known])
        const hint = similar === undefined ? '"sallyport guard rules" lists them' : `did you mean "${similar}"?`
        return { path: at(at(path, 'rules'), name), reason: `there is no rule of this name; ${hint}` }
      }),
  )
}

function exceptionFaults({ exceptions }: GuardConfig, models: Config['models']): Fault[] {
  return exceptions.flatMap(({ match, input = {}, output = {}, validators }, index) => {
    const path = at('guard.exceptions', index)
    const found: Fault[] = []
    if (Object.keys(match).length === 0) found.push({ path: at(path, 'match'), reason: 'matches everybody' })
    const changes = Object.keys({ ...input, ...output }).length > 0 || validators !== undefined
    if (!changes) found.push({ path, reason: 'changes nothing' })
    return [...found, ...unknownModels(match.model, models, at(path, 'match.model'))]
  })
}

/** Whether whatever matches `match` also matches `wider`. */
function covers(wider: GuardMatch, match: GuardMatch): boolean {
  return (['team', 'app', 'env', 'model'] as const).every(key => {
    const values = wider[key]
    return values === undefined || (match[key]?.every(value => values.includes(value)) ?? false)
  })
}

/** Compiles the company's own rules, each by itself and all with those built in: any policy's set is part of that. */
function compileFaults(guard: GuardConfig): Fault[] {
  if (guard.rules.length === 0) return []
  const faults = guard.rules.flatMap((rule, index) => ownRuleFaults(rule, at('guard.rules', index)))
  if (faults.length > 0) return faults
  const all = compileRules(new RuleBook(guard).everything)
  return all.ok ? [] : all.faults.map(({ reason }) => ({ path: 'guard.rules', reason }))
}

function ownRuleFaults(rule: GuardRuleConfig, path: string): Fault[] {
  const form = at(path, rule.pattern !== undefined ? 'pattern' : rule.file !== undefined ? 'file' : 'terms')
  const compiled = compileRules(definitionsOf(rule))
  if (!compiled.ok) {
    const reasons = new Set(compiled.faults.map(({ reason }) => reason))
    return [...reasons].map(reason => ({ path: form, reason: `rule ${rule.name}: ${reason}` }))
  }
  let taken = 0
  scanText(compiled.ruleSet, PROSE, (_, match) => {
    taken += match.length
    return match
  })
  if (taken <= PROSE.length * MAX_PROSE_SHARE) return []
  const share = `${Math.round((100 * taken) / PROSE.length)} %`
  return [
    { path: form, reason: `rule ${rule.name}: matches ordinary prose (${share} of a sample); make it more specific` },
  ]
}

/** What nobody would want most of to be found in. */
const PROSE =
  'Thank you for your letter of last week. We have looked at the plan with care, and most of us think that it should go on ' +
  'as it stands: the new hall will be open in the spring, the old one stays in use until then, and nobody has to move twice. ' +
  'Could you tell me who is going to talk to the neighbours? If it helps, I can call them on Monday or come by in person.'

/** Every set of rules is an automaton of its own; equal ones are shared, whoever asks for them. */
function ruleSetFaults(guard: GuardConfig): Fault[] {
  const book = new RuleBook(guard)
  const sets = new Set<string>()
  for (const index of [undefined, ...guard.exceptions.keys()]) {
    for (const direction of ['input', 'output'] as const) {
      const { rules } = book.side(direction, index)
      const notes = (one: boolean) =>
        rules.filter(({ action }) => action !== 'off' && (action === 'flag') === one).map(({ rule }) => rule)
      sets.add(ruleSetKey(notes(true))).add(ruleSetKey(notes(false)))
    }
  }
  if (sets.size <= MAX_RULE_SETS) return []
  const reason =
    `together they ask for ${sets.size} different sets of rules, each of which costs memory; at most ${MAX_RULE_SETS}: ` +
    'let several switch the same rules on and off'
  return [{ path: 'guard.exceptions', reason }]
}

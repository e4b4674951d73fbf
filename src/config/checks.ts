import { hmacKey } from '../audit/hmac.ts'
import { BUILT_IN_RULES } from '../guard/recognisers/index.ts'
import { compileRules } from '../guard/rule-set.ts'
import { at, type Fault } from './fault.ts'
import { GOOD_HMAC_SECRET_CHARACTERS } from './limits.ts'
import type { Document } from './schema.ts'
import { validatorFaults, validatorWarnings } from './validator-checks.ts'

/** What the schema cannot see: keys that contradict each other, and settings that are not safe. */
export function crossCheck(document: Document): Fault[] {
  return [
    ...unsafeListener(document),
    ...duplicates(document),
    ...timeouts(document),
    ...quotas(document),
    ...guard(document),
    ...validatorFaults(document),
    ...secret(document),
  ]
}

/** Settings that work and are worth a second thought. */
export function warnings(document: Document): Fault[] {
  const found: Fault[] = []
  if (document.audit.hmacSecret.length < GOOD_HMAC_SECRET_CHARACTERS) {
    found.push({ path: 'audit.hmacSecret', reason: `shorter than ${GOOD_HMAC_SECRET_CHARACTERS} characters` })
  }
  if (document.tls === undefined && document.listen.insecure && !isLoopback(document.listen.host)) {
    found.push({ path: 'listen.insecure', reason: 'tokens and prompts cross the network unencrypted' })
  }
  if (document.audit.onFailure === 'serve') {
    found.push({ path: 'audit.onFailure', reason: 'requests are answered without a record while the log fails' })
  }
  for (const [index, model] of document.models.entries()) {
    for (const [inner, { url, apiKey }] of model.upstreams.entries()) {
      const { protocol, hostname } = new URL(url)
      if (apiKey === undefined || protocol !== 'http:' || isLoopback(hostname)) continue
      found.push({ path: `models[${index}].upstreams[${inner}].apiKey`, reason: 'sent unencrypted (http:)' })
    }
  }
  return [...found, ...validatorWarnings(document, isLoopback)]
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

function unsafeListener({ listen, tls }: Document): Fault[] {
  if (tls !== undefined || listen.insecure || isLoopback(listen.host)) return []
  const reason =
    'plain HTTP on an address that other machines can reach would show tokens and prompts to the network: ' +
    'add tls, listen on 127.0.0.1, or set listen.insecure: true'
  return [{ path: 'listen.host', reason }]
}

function duplicates({ models, quotas, guard }: Document): Fault[] {
  return [
    ...repeated(models.map(({ id }) => id)).map(index => ({ path: `models[${index}].id`, reason: 'this id is taken' })),
    ...repeated(quotas.map(({ name }) => name)).map(index => ({
      path: `quotas[${index}].name`,
      reason: 'this name is taken',
    })),
    ...repeated(guard.rules.map(({ name }) => name)).map(index => ({
      path: `guard.rules[${index}].name`,
      reason: 'this name is taken',
    })),
    ...repeated((guard.validators ?? []).map(({ name }) => name)).map(index => ({
      path: `guard.validators[${index}].name`,
      reason: 'this name is taken',
    })),
  ]
}

/** Indices of what was there before. */
function repeated(values: readonly string[]): number[] {
  return values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []))
}

function timeouts({ timeouts: { firstByte, idle, total } }: Document): Fault[] {
  const reason = 'longer than timeouts.total'
  return [
    ...(firstByte > total ? [{ path: 'timeouts.firstByte', reason }] : []),
    ...(idle > total ? [{ path: 'timeouts.idle', reason }] : []),
  ]
}

function quotas({ quotas: limits, models }: Document): Fault[] {
  return limits.flatMap((limit, index) => {
    const path = at('quotas', index)
    const counts = limit.tokens !== undefined || limit.requests !== undefined
    const found: Fault[] = []
    if (!counts && limit.concurrent === undefined) {
      found.push({ path, reason: 'limits nothing: give tokens, requests or concurrent' })
    }
    if (counts && limit.window === undefined) found.push({ path: at(path, 'window'), reason: 'is required' })
    if (!counts && limit.window !== undefined) {
      found.push({ path: at(path, 'window'), reason: 'only goes with tokens or requests' })
    }
    return [...found, ...unknownModel(limit.match?.model, models, at(path, 'match.model'))]
  })
}

function unknownModel(id: string | undefined, models: Document['models'], path: string): Fault[] {
  if (id === undefined || models.some(model => model.id === id)) return []
  return [{ path, reason: 'there is no model with this id' }]
}

function guard({ guard: { rules, exceptions }, models }: Document): Fault[] {
  return [
    ...badRules(rules),
    ...rules.flatMap(({ action, on }, index) => {
      if (action !== 'pseudonymise' || !on.includes('output')) return []
      const reason = 'pseudonymise is for what callers send; with it, set on: [input]'
      return [{ path: at(at('guard.rules', index), 'action'), reason }]
    }),
    ...exceptions.flatMap(({ match, input, output, validators }, index) => {
      const path = at('guard.exceptions', index)
      const found: Fault[] = []
      if (Object.keys(match).length === 0) found.push({ path: at(path, 'match'), reason: 'matches everybody' })
      if (input === undefined && output === undefined && validators === undefined)
        found.push({ path, reason: 'changes nothing' })
      return [...found, ...unknownModel(match.model, models, at(path, 'match.model'))]
    }),
  ]
}

/** The company's own rules; without any there is nothing to be wrong, and compiling is what starting takes longest. */
function badRules(rules: Document['guard']['rules']): Fault[] {
  if (rules.length === 0) return []
  const own = new Map(rules.map((rule, index) => [rule.name, { rule, index }]))
  // With the built-in ones, as the gateway compiles them: names must differ, and together they must not be too large.
  const compiled = compileRules([
    ...[...own.values()].map(({ rule: { name, pattern } }) => ({
      name,
      group: 'custom' as const,
      description: '',
      pattern,
      examples: [],
      counterExamples: [],
    })),
    ...BUILT_IN_RULES,
  ])
  return (compiled.ok ? [] : compiled.faults).map(({ rule, reason }) => {
    const index = own.get(rule)?.index
    return { path: index === undefined ? 'guard.rules' : at('guard.rules', index), reason }
  })
}

function secret({ audit }: Document): Fault[] {
  const key = hmacKey(audit.hmacSecret)
  return key.ok ? [] : [{ path: 'audit.hmacSecret', reason: key.reason }]
}

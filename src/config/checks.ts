import { hmacKey } from '../audit/hmac.ts'
import { isClaimName } from '../auth/token-profile.ts'
import { countsTokens } from '../firewall/kinds.ts'
import { reportsLoad } from '../pool/reported-load.ts'
import { CHARGE_KINDS } from '../quota/limit.ts'
import { auditFaults, auditWarnings } from './audit-checks.ts'
import { callerFaults, callerWarnings } from './caller-checks.ts'
import { clientTlsFaults } from './client-tls.ts'
import type { Config } from './config.ts'
import { at, type Fault } from './fault.ts'
import { guardFaults, guardWarnings, unknownModels } from './guard-checks.ts'
import { GOOD_HMAC_SECRET_CHARACTERS } from './limits.ts'
import { isLoopback } from './loopback.ts'
import type { Document } from './schema.ts'
import { tokenFaults } from './token-checks.ts'
import { validatorFaults, validatorWarnings } from './validator-checks.ts'

/**
 * What the schema cannot see: keys that contradict each other, and settings that are not safe. `dictionaries` are the
 * faults of the files that the document's rules are in.
 */
export function crossCheck(document: Document, config: Config, dictionaries: readonly Fault[]): Fault[] {
  return [
    ...unsafeListener('listen.host', document.listen, document.tls),
    ...callerFaults(document),
    ...tokenFaults(document.tokens),
    ...adminFaults(document),
    ...duplicates(document),
    ...modelServers(document),
    ...timeouts(document),
    ...quotas(document, config),
    ...admission(document),
    ...guardFaults(config, dictionaries),
    ...validatorFaults(document),
    ...clientTlsFaults(document),
    ...secret(document),
    ...auditFaults(document.audit),
  ]
}

/** Settings that work and are worth a second thought. */
export function warnings(document: Document, { guard }: Config): Fault[] {
  const found: Fault[] = []
  if (document.audit.hmacSecret.length < GOOD_HMAC_SECRET_CHARACTERS) {
    found.push({ path: 'audit.hmacSecret', reason: `shorter than ${GOOD_HMAC_SECRET_CHARACTERS} characters` })
  }
  if (document.tls === undefined && document.listen.insecure && !isLoopback(document.listen.host)) {
    found.push({ path: 'listen.insecure', reason: 'tokens and prompts cross the network unencrypted' })
  }
  if (document.admin && !(document.admin.tls ?? document.tls) && document.admin.listen.insecure) {
    if (!isLoopback(document.admin.listen.host)) {
      found.push({ path: 'admin.listen.insecure', reason: 'tokens that administer cross the network unencrypted' })
    }
  }
  const { otlp } = document.telemetry ?? {}
  if (otlp && Object.keys(otlp.headers).length > 0) {
    const { protocol, hostname } = new URL(otlp.url)
    if (protocol === 'http:' && !isLoopback(hostname)) {
      found.push({ path: 'telemetry.otlp.headers', reason: 'cross the network unencrypted' })
    }
  }
  found.push(...callerWarnings(document))
  if (document.audit.onFailure === 'serve') {
    found.push({ path: 'audit.onFailure', reason: 'requests are answered without a record while the log fails' })
  }
  for (const [index, model] of document.models.entries()) {
    for (const [inner, { url, apiKey, maxInFlight }] of model.upstreams.entries()) {
      if (maxInFlight !== undefined && maxInFlight % document.instances !== 0) {
        const reason =
          maxInFlight < document.instances
            ? 'less than instances: each sends one request at a time, together more than this'
            : 'no multiple of instances: the rest of the division is not used'
        found.push({ path: `models[${index}].upstreams[${inner}].maxInFlight`, reason })
      }
      const { protocol, hostname } = new URL(url)
      if (apiKey === undefined || protocol !== 'http:' || isLoopback(hostname)) continue
      found.push({ path: `models[${index}].upstreams[${inner}].apiKey`, reason: 'sent unencrypted (http:)' })
    }
  }
  return [
    ...found,
    ...guardWarnings(guard),
    ...validatorWarnings(document, isLoopback),
    ...auditWarnings(document.audit),
  ]
}

function unsafeListener(path: string, listen: Document['listen'], tls: Document['tls']): Fault[] {
  if (tls !== undefined || listen.insecure || isLoopback(listen.host)) return []
  const reason =
    'plain HTTP on an address that other machines can reach would show tokens and prompts to the network: ' +
    'add tls, listen on 127.0.0.1, or set listen.insecure: true'
  return [{ path, reason }]
}

function adminFaults({ admin, listen, tls, tokens }: Document): Fault[] {
  if (admin === undefined) return []
  const found = unsafeListener('admin.listen.host', admin.listen, admin.tls ?? tls)
  const { host, port } = admin.listen
  if (port !== 0 && port === listen.port && host === listen.host) {
    found.push({ path: 'admin.listen.port', reason: 'is that of the data listener: the admin API has its own' })
  }
  if ((admin.issue?.maxTtl ?? 0) > tokens.maxLifetime) {
    found.push({ path: 'admin.issue.maxTtl', reason: 'longer than tokens.maxLifetime' })
  }
  return found
}

function duplicates({ models, quotas, guard }: Document): Fault[] {
  return [
    ...repeated(models.map(({ id }) => id)).map(index => ({ path: `models[${index}].id`, reason: 'this id is taken' })),
    ...models.flatMap(({ adapters = [] }, index) =>
      repeated(adapters.map(({ name }) => name)).map(inner => ({
        path: `models[${index}].adapters[${inner}].name`,
        reason: 'this name is taken',
      })),
    ),
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

/** Settings that a model's servers cannot follow. */
function modelServers({ models }: Document): Fault[] {
  return models.flatMap(({ upstreams, countTokens }, index) => {
    const path = `models[${index}].upstreams`
    const found = upstreams.flatMap(({ kind, cacheSalt, health }, inner) => [
      ...(cacheSalt !== undefined && kind !== 'vllm'
        ? [{ path: `${path}[${inner}].cacheSalt`, reason: 'only goes with kind: vllm' }]
        : []),
      ...(health.load && !reportsLoad(kind)
        ? [{ path: `${path}[${inner}].health.load`, reason: 'only goes with kind: vllm or llama.cpp' }]
        : []),
    ])
    if (countTokens === 'always' && !upstreams.some(({ kind }) => countsTokens(kind))) {
      found.push({ path: `models[${index}].countTokens`, reason: 'always goes with kind: llama.cpp or vllm' })
    }
    if (upstreams.every(({ weight }) => weight === 0)) {
      found.push({ path, reason: 'every weight is 0: no server takes new requests' })
    }
    return found
  })
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

function quotas({ quotas: limits }: Document, { models }: Config): Fault[] {
  return limits.flatMap((limit, index) => {
    const path = at('quotas', index)
    const kinds = CHARGE_KINDS.filter(kind => limit[kind] !== undefined)
    const counts = kinds.some(kind => kind !== 'concurrent')
    const found: Fault[] = []
    const fault = (key: string, reason: string) => found.push({ path: at(path, key), reason })
    if (kinds.length === 0) {
      found.push({ path, reason: 'limits nothing: give tokens, inputTokens, outputTokens, requests or concurrent' })
    }
    if (counts && limit.window === undefined) fault('window', 'is required')
    if (!counts && limit.window !== undefined) fault('window', 'only goes with tokens or requests')
    if (limit.weigh && limit.tokens === undefined) fault('weigh', 'only goes with tokens')
    if (limit.weigh && limit.weigh.input === 0 && limit.weigh.output === 0) fault('weigh', 'counts nothing: both are 0')
    for (const kind of CHARGE_KINDS) {
      const most = limit.override?.[kind]
      if (most !== undefined && limit[kind] === undefined) {
        fault(`override.${kind}`, `this limit has no ${kind} to go before`)
      }
    }
    for (const [place, match] of [['match', limit.match] as const, ...exceptions(limit.except)]) {
      if (match && Object.keys(match).length === 0) fault(place, 'should name at least one of team, app, env, model')
      found.push(...unknownModels([match?.model ?? []].flat(), models, at(path, `${place}.model`)))
    }
    return found
  })
}

function exceptions(except: Document['quotas'][number]['except'] = []) {
  return except.map((match, index) => [at('except', index), match] as const)
}

function admission({ admission: { per, weights, priorities, defaultPriority } }: Document): Fault[] {
  const found: Fault[] = []
  for (const key of Object.keys(weights)) {
    const names = key.split('/')
    const path = at('admission.weights', key)
    if (names.length > 2 || !names.every(isClaimName)) found.push({ path, reason: 'should be a team, or team/app' })
    else if (names.length === 2 && per === 'team') found.push({ path, reason: 'only goes with per: app' })
  }
  for (const index of repeated(priorities)) {
    found.push({ path: at('admission.priorities', index), reason: 'this class is named twice' })
  }
  if (!priorities.includes(defaultPriority)) {
    found.push({ path: 'admission.defaultPriority', reason: 'should be one of admission.priorities' })
  }
  return found
}

function secret({ audit }: Document): Fault[] {
  const key = hmacKey(audit.hmacSecret)
  return key.ok ? [] : [{ path: 'audit.hmacSecret', reason: key.reason }]
}

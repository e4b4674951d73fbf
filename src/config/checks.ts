import { hmacKey } from '../audit/hmac.ts'
import { callerFaults, callerWarnings } from './caller-checks.ts'
import type { Config } from './config.ts'
import { at, type Fault } from './fault.ts'
import { guardFaults, guardWarnings, unknownModels } from './guard-checks.ts'
import { GOOD_HMAC_SECRET_CHARACTERS } from './limits.ts'
import type { Document } from './schema.ts'
import { validatorFaults, validatorWarnings } from './validator-checks.ts'

/**
 * What the schema cannot see: keys that contradict each other, and settings that are not safe. `dictionaries` are the
 * faults of the files that the document's rules are in.
 */
export function crossCheck(document: Document, config: Config, dictionaries: readonly Fault[]): Fault[] {
  return [
    ...unsafeListener(document),
    ...callerFaults(document),
    ...duplicates(document),
    ...timeouts(document),
    ...quotas(document, config),
    ...guardFaults(config, dictionaries),
    ...validatorFaults(document),
    ...secret(document),
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
  found.push(...callerWarnings(document))
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
  return [...found, ...guardWarnings(guard), ...validatorWarnings(document, isLoopback)]
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

function quotas({ quotas: limits }: Document, { models }: Config): Fault[] {
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
    return [
      ...found,
      ...unknownModels(limit.match?.model === undefined ? [] : [limit.match.model], models, at(path, 'match.model')),
    ]
  })
}

function secret({ audit }: Document): Fault[] {
  const key = hmacKey(audit.hmacSecret)
  return key.ok ? [] : [{ path: 'audit.hmacSecret', reason: key.reason }]
}

import { DEFAULT_LIMITS } from '../firewall/limits.ts'
import type { QuotaLimit, QuotaMatch } from '../quota/limit.ts'
import { resolveAdmission } from './admission-schema.ts'
import { resolveCheckpoint } from './audit-schema.ts'
import { resolveClientTls } from './client-tls-schema.ts'
import type {
  AdminConfig,
  Config,
  GuardMatch,
  GuardRuleConfig,
  HealthConfig,
  LimitsConfig,
  ModelConfig,
  StateLocation,
  TlsConfig,
  TokensConfig,
  UpstreamKind,
} from './config.ts'
import { resolveForward } from './forward-schema.ts'
import { DEFAULT_ISSUED_TTL_MS } from './limits.ts'
import { fileAgeFor, resolveRetention } from './retention-schema.ts'
import type { Document } from './schema.ts'
import { resolveOtlp } from './telemetry-schema.ts'
import { isKeyUrl } from './tokens-schema.ts'
import { resolveValidator } from './validator-schema.ts'

const DEFAULT_STATE_FILE = 'state/sallyport.db'

type ResolvePath = (path: string) => string

/** Makes the configuration in force of a valid document. */
export function resolve(document: Document, resolvePath: ResolvePath): Config {
  const { listen, tls, timeouts, guard, request, limits, audit } = document
  const retention = resolveRetention(audit, resolvePath(audit.file), resolvePath)
  const maxAgeMs = audit.maxFileAge ?? (retention && fileAgeFor(retention))
  return {
    listen,
    ...(tls !== undefined && { tls: resolveTls(tls, resolvePath) }),
    ...(document.proxies !== undefined && { proxies: document.proxies }),
    ...(document.admin !== undefined && { admin: resolveAdmin(document, document.admin, resolvePath) }),
    state: resolveState(document.state, resolvePath),
    tokens: resolveTokens(document.tokens, resolvePath),
    models: document.models.map(model => resolveModel(model, request.limits, document.instances, resolvePath)),
    timeouts: {
      firstByteMs: timeouts.firstByte,
      idleMs: timeouts.idle,
      totalMs: timeouts.total,
      countMs: timeouts.count,
    },
    quotas: document.quotas.map(resolveQuota),
    instances: document.instances,
    admission: resolveAdmission(document.admission),
    guard: {
      input: guard.input,
      output: guard.output,
      rules: guard.rules.map(rule => resolveRule(rule, resolvePath)),
      exceptions: guard.exceptions.map(({ match, ...changes }) => ({ match: resolveMatch(match), ...changes })),
      validators: (guard.validators ?? []).map(validator => resolveValidator(validator, resolvePath)),
    },
    request: {
      unknownFields: request.unknownFields,
      maxBodyBytes: request.maxBody,
      mediaHosts: request.mediaHosts,
    },
    limits: resolveLimits(limits),
    audit: {
      file: resolvePath(audit.file),
      hmacSecret: audit.hmacSecret,
      onFailure: audit.onFailure,
      maxBytes: audit.maxFileSize,
      ...(maxAgeMs !== undefined && { maxAgeMs }),
      ...(retention && { retention }),
      intent: audit.intent,
      previousHmacSecrets: audit.previousHmacSecrets,
      ...(audit.checkpoint !== undefined && {
        checkpoint: resolveCheckpoint(audit.checkpoint, resolvePath(audit.file), resolvePath),
      }),
      forward: audit.forward.map(destination => resolveForward(destination, resolvePath)),
    },
    ...(document.telemetry?.otlp !== undefined && {
      telemetry: { otlp: resolveOtlp(document.telemetry.otlp, resolvePath) },
    }),
    weights: document.weights.map(({ dir, manifest, key }) => ({
      dir: resolvePath(dir),
      ...(manifest !== undefined && { manifest: resolvePath(manifest) }),
      key: resolvePath(key),
    })),
  }
}

function resolveTls(tls: NonNullable<Document['tls']>, resolvePath: ResolvePath): TlsConfig {
  const { cert, key, clientCa, crl, minVersion } = tls
  return {
    cert: resolvePath(cert),
    key: resolvePath(key),
    ...(clientCa !== undefined && { clientCa: resolvePath(clientCa) }),
    clientAuth: tls.clientAuth ?? (clientCa === undefined ? 'off' : 'required'),
    ...(crl !== undefined && { crl: resolvePath(crl) }),
    minVersion,
  }
}

function resolveAdmin(
  document: Document,
  { listen, tls, issue, pullFrom }: NonNullable<Document['admin']>,
  resolvePath: ResolvePath,
): AdminConfig {
  const files = tls ?? document.tls
  return {
    listen,
    ...(files !== undefined && { tls: resolveTls(files, resolvePath) }),
    ...(issue !== undefined && {
      issue: {
        key: resolvePath(issue.key),
        maxTtlMs: issue.maxTtl ?? Math.min(DEFAULT_ISSUED_TTL_MS, document.tokens.maxLifetime),
        scopes: issue.scopes,
      },
    }),
    pullFrom,
  }
}

/** Where the state is, with files in their place: that of the embedded store, and those for TLS towards Redis. */
export function resolveState(state: string, resolvePath: ResolvePath): StateLocation {
  if (!state.startsWith('embedded')) {
    const [server = '', query] = state.split('?', 2)
    if (query === undefined) return state as StateLocation
    const files = [...new URLSearchParams(query)].map(([name, path]) => [name, resolvePath(path)])
    return `${server}?${new URLSearchParams(files)}` as StateLocation
  }
  return `embedded:${resolvePath(state.slice('embedded:'.length) || DEFAULT_STATE_FILE)}`
}

/** The tokens part alone. */
export function resolveTokens(tokens: Document['tokens'], resolvePath: ResolvePath): TokensConfig {
  const resolveJwks = (jwks: string) => (isKeyUrl(jwks) ? jwks : resolvePath(jwks))
  const { every, cooldown, timeout, maxStale, ca, insecure } = tokens.keyFetch
  return {
    issuer: tokens.issuer,
    audience: tokens.audience,
    jwks: resolveJwks(tokens.jwks),
    maxLifetimeMs: tokens.maxLifetime,
    algorithms: tokens.algorithms,
    requireBound: tokens.requireBound,
    revocation: { maxAgeMs: tokens.revocation.maxAge, onFailure: tokens.revocation.onFailure },
    expiryWarningMs: tokens.expiryWarning,
    trusted: (tokens.trusted ?? []).map(({ jwks, audience, types, maxLifetime, ...rest }) => ({
      ...rest,
      jwks: resolveJwks(jwks),
      audience: [audience].flat(),
      types: types.map(type => type.toLowerCase().replace(/^application\//, '')),
      maxLifetimeMs: maxLifetime,
    })),
    keyFetch: {
      everyMs: every,
      cooldownMs: cooldown,
      timeoutMs: timeout,
      maxStaleMs: maxStale,
      ...(ca !== undefined && { ca: resolvePath(ca) }),
      insecure,
    },
  }
}

function resolveModel(
  model: Document['models'][number],
  limits: Document['request']['limits'],
  instances: number,
  resolvePath: ResolvePath,
): ModelConfig {
  return {
    ...model,
    limits: { ...DEFAULT_LIMITS, ...limits, ...model.limits },
    upstreams: model.upstreams.map(({ tls, health, maxInFlight, ...upstream }) => {
      const url = upstream.url.replace(/\/+$/, '')
      return {
        ...upstream,
        ...(maxInFlight !== undefined && { maxInFlight: Math.max(1, Math.floor(maxInFlight / instances)) }),
        url,
        cacheSalt: upstream.cacheSalt ?? 'team',
        ...(tls !== undefined && { tls: resolveClientTls(tls, resolvePath) }),
        health: resolveHealth(health, url, upstream.kind),
      }
    }),
  }
}

/** Where a kind of server says how it is, beside the `/v1` of its base URL; others are asked for their models. */
const HEALTH_PATHS: Partial<Record<UpstreamKind, string>> = {
  'llama.cpp': '/health',
  vllm: '/health',
  ollama: '/api/version',
}

function resolveHealth(
  { path, every, timeout, load }: Document['models'][number]['upstreams'][number]['health'],
  url: string,
  kind: UpstreamKind,
): HealthConfig {
  const root = url.replace(/\/v1$/, '')
  const ownPath = HEALTH_PATHS[kind]
  const byKind = ownPath === undefined ? `${url}/models` : root + ownPath
  return {
    url: path === undefined ? byKind : new URL(url).origin + path,
    ...(load && { loadUrl: `${root}/metrics` }),
    everyMs: every,
    timeoutMs: timeout,
  }
}

function resolveLimits({ url, headers, bodyTimeout, ...rest }: Document['limits']): LimitsConfig {
  const { headerBytes, headTimeout, keepAlive, connections, requestsPerConnection } = rest
  return {
    urlCharacters: url,
    headers,
    bodyTimeoutMs: bodyTimeout,
    ...(headerBytes !== undefined && { headerBytes }),
    ...(headTimeout !== undefined && { headTimeoutMs: headTimeout }),
    ...(keepAlive !== undefined && { keepAliveMs: keepAlive }),
    ...(connections !== undefined && { connections }),
    ...(requestsPerConnection !== undefined && { requestsPerConnection }),
  }
}

function resolveQuota({ match, except, window, ...rest }: Document['quotas'][number]): QuotaLimit {
  return {
    ...rest,
    ...(match !== undefined && { match: resolveMatch(match) }),
    ...(except !== undefined && { except: except.map(resolveMatch) }),
    ...(window !== undefined && { windowMs: window }),
  }
}

/** Words are whole where nothing else is said: always for terms, never for patterns, which say what they are about. */
function resolveRule(rule: Document['guard']['rules'][number], resolvePath: ResolvePath): GuardRuleConfig {
  const { file, wholeWord, notAfter, notBefore, terms } = rule
  const byDefault = terms !== undefined && notAfter === undefined && notBefore === undefined
  return {
    ...rule,
    ...(file !== undefined && { file: resolvePath(file) }),
    wholeWord: wholeWord ?? byDefault,
  }
}

/** One value is a list of one. */
function resolveMatch(match: Document['guard']['exceptions'][number]['match']): GuardMatch & QuotaMatch {
  return Object.fromEntries(Object.entries(match).map(([key, values]) => [key, [values].flat()]))
}

import type { QuotaLimit } from '../quota/limit.ts'
import type {
  Config,
  GuardMatch,
  GuardRuleConfig,
  ModelConfig,
  StateLocation,
  TlsConfig,
  TokensConfig,
} from './config.ts'
import type { Document } from './schema.ts'
import { resolveValidator } from './validator-schema.ts'

type ResolvePath = (path: string) => string

/** Makes the configuration in force of a valid document. Parts that are not enforced (`unsupported.ts`) are left out. */
export function resolve(document: Document, resolvePath: ResolvePath): Config {
  const { listen, tls, timeouts, guard, request, audit } = document
  return {
    listen,
    ...(tls !== undefined && { tls: resolveTls(tls, resolvePath) }),
    ...(document.proxies !== undefined && { proxies: document.proxies }),
    state: document.state as StateLocation,
    tokens: resolveTokens(document.tokens, resolvePath),
    models: document.models.map(resolveModel),
    timeouts: { firstByteMs: timeouts.firstByte, idleMs: timeouts.idle, totalMs: timeouts.total },
    quotas: document.quotas.flatMap(resolveQuota),
    guard: {
      input: guard.input,
      output: guard.output,
      rules: guard.rules.map(rule => resolveRule(rule, resolvePath)),
      exceptions: guard.exceptions.map(({ match, ...changes }) => ({ match: resolveMatch(match), ...changes })),
      validators: (guard.validators ?? []).map(resolveValidator),
    },
    request: {
      unknownFields: request.unknownFields,
      maxBodyBytes: request.maxBody,
      mediaHosts: request.mediaHosts,
    },
    audit: {
      file: resolvePath(audit.file),
      hmacSecret: audit.hmacSecret,
      onFailure: audit.onFailure,
      maxBytes: audit.maxFileSize,
    },
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

/** The tokens part alone. */
export function resolveTokens(tokens: Document['tokens'], resolvePath: ResolvePath): TokensConfig {
  return {
    issuer: tokens.issuer,
    audience: tokens.audience,
    jwks: URL.canParse(tokens.jwks) ? tokens.jwks : resolvePath(tokens.jwks),
    maxLifetimeMs: tokens.maxLifetime,
    algorithms: tokens.algorithms,
    requireBound: tokens.requireBound,
  }
}

function resolveModel(model: Document['models'][number]): ModelConfig {
  return {
    ...model,
    upstreams: model.upstreams.map(upstream => ({ ...upstream, url: upstream.url.replace(/\/+$/, '') })),
  }
}

/** A quota of `concurrent` alone has no window and is not enforced. */
function resolveQuota({ name, per, match, tokens, requests, window }: Document['quotas'][number]): QuotaLimit[] {
  if (window === undefined) return []
  return [
    {
      name,
      per,
      ...(match !== undefined && { match }),
      ...(tokens !== undefined && { tokens }),
      ...(requests !== undefined && { requests }),
      windowMs: window,
    },
  ]
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
function resolveMatch(match: Document['guard']['exceptions'][number]['match']): GuardMatch {
  return Object.fromEntries(Object.entries(match).map(([key, values]) => [key, [values].flat()]))
}

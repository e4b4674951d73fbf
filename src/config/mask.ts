import type { ValidatorConfig } from '../validators/validator-config.ts'
import { type Config, embeddedFile } from './config.ts'
import type { ForwardConfig } from './forward-config.ts'

const MASK = '********'

/** The configuration with every credential replaced, for printing. */
export function maskSecrets(config: Config): Config {
  return {
    ...config,
    state: embeddedFile(config.state) !== undefined ? config.state : maskUserInfo(config.state),
    models: config.models.map(model => ({
      ...model,
      upstreams: model.upstreams.map(upstream => ({
        ...upstream,
        ...(upstream.apiKey !== undefined && { apiKey: MASK }),
      })),
    })),
    guard: { ...config.guard, validators: config.guard.validators.map(maskValidator) },
    audit: maskAudit(config.audit),
    ...(config.telemetry?.otlp && {
      telemetry: { otlp: { ...config.telemetry.otlp, headers: maskHeaders(config.telemetry.otlp.headers) } },
    }),
  }
}

function maskAudit(audit: Config['audit']): Config['audit'] {
  const { checkpoint } = audit
  const to = checkpoint?.to.map(place => {
    if (place.kind === 'redis') return { ...place, url: maskUserInfo(place.url) }
    return 'token' in place ? { ...place, token: MASK } : place
  })
  return {
    ...audit,
    hmacSecret: MASK,
    previousHmacSecrets: audit.previousHmacSecrets.map(() => MASK),
    ...(checkpoint && to && { checkpoint: { ...checkpoint, to } }),
    forward: audit.forward.map(maskForward),
  }
}

function maskForward(destination: ForwardConfig): ForwardConfig {
  return {
    ...destination,
    ...('url' in destination && { url: maskUserInfo(destination.url) }),
    ...('token' in destination && { token: MASK }),
    ...('hmacSecret' in destination && { hmacSecret: MASK }),
    ...('headers' in destination && { headers: maskHeaders(destination.headers) }),
  }
}

/** The values: what authenticates stands in one of them as often as not. */
function maskHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(headers).map(name => [name, MASK]))
}

function maskValidator(validator: ValidatorConfig): ValidatorConfig {
  return {
    ...validator,
    ...(validator.apiKey !== undefined && { apiKey: MASK }),
    headers: maskHeaders(validator.headers),
  }
}

/** `redis://user:password@host` without user and password; lists of hosts too, which `URL` does not read. */
function maskUserInfo<T extends string>(url: T): T {
  return url.replace(/\/\/.*@/, `//${MASK}@`).replace(/\?.*$/, `?${MASK}`) as T
}

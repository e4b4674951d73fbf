import * as v from 'valibot'
import { SCOPES } from '../auth/scopes.ts'
import { LIMITS, type LimitName } from '../firewall/limits.ts'
import { ADMISSION } from './admission-schema.ts'
import { AUDIT_FILE, AUDIT_PROOF } from './audit-schema.ts'
import { CLIENT_TLS } from './client-tls-schema.ts'
import { count, list, name, number, oneOf, quantity, text, url, yesOrNo } from './fields.ts'
import { FORWARD } from './forward-schema.ts'
import { GUARD } from './guard-schema.ts'
import {
  DEFAULT_AUDIT_FILE_BYTES,
  DEFAULT_BODY_TIMEOUT_MS,
  DEFAULT_COUNT_MS,
  DEFAULT_FIRST_BYTE_MS,
  DEFAULT_HEALTH_EVERY_MS,
  DEFAULT_HEALTH_TIMEOUT_MS,
  DEFAULT_IDLE_MS,
  DEFAULT_MAX_BODY_BYTES,
  DEFAULT_MAX_HEADERS,
  DEFAULT_MAX_URL_CHARACTERS,
  DEFAULT_TOTAL_MS,
  MAX_AUDIT_FILE_BYTES,
  MAX_BODY_BYTES,
  MAX_CONNECTIONS,
  MAX_COUNT_MS,
  MAX_HEADERS,
  MAX_HEALTH_EVERY_MS,
  MAX_HEALTH_TIMEOUT_MS,
  MAX_IN_FLIGHT,
  MAX_KEEP_ALIVE_MS,
  MAX_MODEL_ID_CHARACTERS,
  MAX_RECEIVE_TIMEOUT_MS,
  MAX_SERVER_WEIGHT,
  MAX_TIMEOUT_MS,
  MAX_TOKEN_LIFETIME_MS,
  MAX_TOKENS,
  MAX_URL_CHARACTERS,
  MIN_AUDIT_FILE_BYTES,
  MIN_HEALTH_EVERY_MS,
} from './limits.ts'
import { QUOTA } from './quota-schema.ts'
import { AUDIT_RETENTION } from './retention-schema.ts'
import { TELEMETRY } from './telemetry-schema.ts'
import { TOKENS } from './tokens-schema.ts'
import { formatQuantity } from './units.ts'

export type { Config } from './config.ts'

/**
 * The YAML document. Its output has units resolved; `resolve.ts` makes a `Config` of it. Descriptions become the
 * editor's help (`config schema`).
 */

const described = v.description

const path = text()
const modelId = text(MAX_MODEL_ID_CHARACTERS)
const timeout = (fallback: number) =>
  v.optional(quantity('duration', 1, MAX_TIMEOUT_MS), formatQuantity('duration', fallback))

const listen = v.strictObject({
  host: v.optional(v.pipe(text(255), described('Address to listen on.')), '127.0.0.1'),
  port: v.optional(v.pipe(count(0, 65_535), described('0 takes any free port.')), 8787),
  insecure: v.optional(
    v.pipe(yesOrNo, described('Allow plain HTTP on an address that other machines can reach.')),
    false,
  ),
})

const tls = v.strictObject({
  cert: v.pipe(path, described('PEM file of the server certificate and its chain.')),
  key: v.pipe(path, described('PEM file of its private key.')),
  clientCa: v.exactOptional(
    v.pipe(path, described('PEM file of the authority of callers; present: a client certificate is required.')),
  ),
  clientAuth: v.exactOptional(
    v.pipe(
      oneOf(['required', 'optional', 'off']),
      described('Whether callers show a certificate; by default `required` with a `clientCa`, else `off`.'),
    ),
  ),
  crl: v.exactOptional(v.pipe(path, described('PEM file of the lists of revoked client certificates.'))),
  minVersion: v.optional(v.pipe(oneOf(['TLSv1.2', 'TLSv1.3']), described('Oldest version of TLS.')), 'TLSv1.2'),
})

const proxies = v.strictObject({
  addresses: v.pipe(
    list(text(64)),
    v.minLength(1, 'should name at least one address'),
    described('Addresses and networks (CIDR) of the proxies whose headers count; from anybody else they are ignored.'),
  ),
  clientCert: v.exactOptional(
    v.pipe(
      v.strictObject({
        header: v.optional(
          v.pipe(
            text(64),
            v.regex(/^[a-z0-9-]+$/, 'should be the lower-case name of a header'),
            described('The header that holds the client certificate.'),
          ),
          'client-cert',
        ),
        format: v.optional(
          v.pipe(
            oneOf(['rfc9440', 'nginx-escaped-pem', 'envoy-xfcc']),
            described('How the certificate is written in it.'),
          ),
          'rfc9440',
        ),
      }),
      described('Present: the proxies verify client certificates, and pass them on.'),
    ),
  ),
  forwardedFor: v.optional(
    v.pipe(yesOrNo, described('Whether they name the caller in `X-Forwarded-For` or `Forwarded`.')),
    true,
  ),
})

/** As Ollama writes it in the name of a model. */
const registry = v.pipe(
  text(261),
  v.regex(/^[a-z0-9][a-z0-9.-]*(?::\d{1,5})?$/, 'should be a host, with its port if need be: registry.ollama.ai'),
)

const admin = v.strictObject({
  listen: v.strictObject({
    host: v.optional(v.pipe(text(255), described('Address to listen on.')), '127.0.0.1'),
    port: v.pipe(count(0, 65_535), described('0 takes any free port.')),
    insecure: v.optional(
      v.pipe(yesOrNo, described('Allow plain HTTP on an address that other machines can reach.')),
      false,
    ),
  }),
  tls: v.exactOptional(v.pipe(tls, described('Absent: as `tls` of the data listener.'))),
  issue: v.exactOptional(
    v.pipe(
      v.strictObject({
        key: v.optional(v.pipe(path, described('The private signing key, a JWK file.')), 'keys/signing.jwk.json'),
        maxTtl: v.exactOptional(
          v.pipe(
            quantity('duration', 1000, MAX_TOKEN_LIFETIME_MS),
            described('Longest life of an issued token; absent: a day, or `tokens.maxLifetime` where that is shorter.'),
          ),
        ),
        scopes: v.optional(
          v.pipe(
            list(oneOf(SCOPES)),
            v.minLength(1, 'should name at least one scope'),
            described('Scopes that an issued token may have.'),
          ),
          ['inference', 'models:read'],
        ),
      }),
      described('Present: tokens can be issued over the admin API, and the process has the private key.'),
    ),
  ),
  pullFrom: v.optional(
    v.pipe(list(registry), described('Registries that Ollama may be told to pull the configured models from.')),
    [],
  ),
})

type LimitSchema = v.ExactOptionalSchema<v.GenericSchema<string | number, number>, undefined>

const limits = v.strictObject(
  Object.fromEntries(
    Object.entries(LIMITS).map(([key, { unit, ceiling, description }]): [string, LimitSchema] => {
      const value = unit === 'size' ? quantity('size', 1, ceiling) : count(0, ceiling)
      return [key, v.exactOptional(v.pipe(value, described(description)))]
    }),
  ) as Record<LimitName, LimitSchema>,
)

const health = v.optional(
  v.strictObject({
    path: v.exactOptional(
      v.pipe(
        text(1024),
        v.regex(/^\/(?!\/)[^?#\s\\]*$/, 'should begin with one / and have no query, fragment or backslash'),
        described('What is asked for on the server; absent: what its kind has for it.'),
      ),
    ),
    every: v.optional(
      v.pipe(quantity('duration', MIN_HEALTH_EVERY_MS, MAX_HEALTH_EVERY_MS), described('Between two checks.')),
      formatQuantity('duration', DEFAULT_HEALTH_EVERY_MS),
    ),
    timeout: v.optional(
      v.pipe(quantity('duration', 1, MAX_HEALTH_TIMEOUT_MS), described('Longest wait for its answer.')),
      formatQuantity('duration', DEFAULT_HEALTH_TIMEOUT_MS),
    ),
    load: v.optional(
      v.pipe(
        yesOrNo,
        described('vLLM and llama.cpp: ask for its metrics, and count what others have it do when servers are chosen.'),
      ),
      false,
    ),
  }),
  {},
)

const upstream = v.strictObject({
  url: v.pipe(url(['http:', 'https:']), described('Base URL, up to and including `/v1`.')),
  kind: v.pipe(oneOf(['llama.cpp', 'vllm', 'ollama', 'openai']), described('What the model server is.')),
  maxInFlight: v.exactOptional(v.pipe(count(1, MAX_IN_FLIGHT), described('Requests at the same time.'))),
  apiKey: v.exactOptional(v.pipe(text(), described('Sent to the model server as a bearer token.'))),
  tls: v.exactOptional(v.pipe(CLIENT_TLS, described('With https: who the server has to be, and who the gateway is.'))),
  cacheSalt: v.exactOptional(
    v.pipe(
      oneOf(['team', 'none']),
      described('vLLM only: keep the prompts that it caches apart by team, so that none can be guessed by its speed.'),
    ),
  ),
  weight: v.optional(
    v.pipe(
      number(0, MAX_SERVER_WEIGHT),
      described('Share of new conversations beside the other servers; 0: none any more.'),
    ),
    1,
  ),
  health,
})

const adapter = v.strictObject({
  name: v.pipe(name, described('What the admin API and vLLM call it.')),
  path: v.pipe(text(1024), described('Where it lies on the model server.')),
})

const model = v.strictObject({
  id: v.pipe(modelId, described('The `model` of requests.')),
  upstreams: v.pipe(list(upstream), v.minLength(1, 'should name at least one model server')),
  systemPrompt: v.exactOptional(
    v.pipe(text(65_536), described('Prepended to every conversation; callers cannot remove it.')),
  ),
  callerSystem: v.optional(
    v.pipe(
      oneOf(['allow', 'demote', 'refuse']),
      described('What callers give as system: allowed behind `systemPrompt`, passed on as a user’s words, or refused.'),
    ),
    'allow',
  ),
  countTokens: v.optional(
    v.pipe(
      oneOf(['auto', 'always', 'never']),
      described('Have prompts counted by the model server before limits are charged: where it matters, always, never.'),
    ),
    'auto',
  ),
  limits: v.exactOptional(v.pipe(limits, described('Bounds for this model in place of those of `request.limits`.'))),
  maxOutputTokens: v.exactOptional(v.pipe(count(1, MAX_TOKENS), described('Most tokens of one answer.'))),
  maxPromptCharacters: v.exactOptional(
    v.pipe(count(1, MAX_BODY_BYTES), described('Most characters (UTF-16 units) over all texts of a request.')),
  ),
  adapters: v.exactOptional(v.pipe(list(adapter), described('LoRA adapters that may be loaded over the admin API.'))),
})

/** As a URL writes it: lower-case, the port only where it is not the scheme's own. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/

const request = v.strictObject({
  unknownFields: v.optional(
    v.pipe(oneOf(['refuse', 'drop']), described('What happens to request fields that are not known.')),
    'refuse',
  ),
  maxBody: v.optional(
    v.pipe(quantity('size', 1024, MAX_BODY_BYTES), described('Largest request body.')),
    formatQuantity('size', DEFAULT_MAX_BODY_BYTES),
  ),
  mediaHosts: v.optional(
    v.pipe(
      list(
        v.pipe(text(261), v.regex(HOST, 'should be a host, with its port if need be: images.example, 10.0.0.7:8080')),
      ),
      described('Hosts that model servers may be sent to for the images of a request; all others are refused.'),
    ),
    [],
  ),
  limits: v.optional(v.pipe(limits, described('Bounds of a request, unless a model has its own.')), {}),
})

const within = (min: number, max: number) => quantity('duration', min, max)

const listenerLimits = v.strictObject({
  url: v.optional(
    v.pipe(count(256, MAX_URL_CHARACTERS), described('Most characters of a path with its query.')),
    DEFAULT_MAX_URL_CHARACTERS,
  ),
  headers: v.optional(v.pipe(count(16, MAX_HEADERS), described('Most header fields.')), DEFAULT_MAX_HEADERS),
  bodyTimeout: v.optional(
    v.pipe(within(100, MAX_RECEIVE_TIMEOUT_MS), described('For a whole request body, however slowly it comes.')),
    formatQuantity('duration', DEFAULT_BODY_TIMEOUT_MS),
  ),
  headerBytes: v.exactOptional(
    v.pipe(quantity('size', 1024, 1024 * 1024), described('Size of a request’s head. 16KiB; Node only.')),
  ),
  headTimeout: v.exactOptional(
    v.pipe(
      within(100, MAX_RECEIVE_TIMEOUT_MS),
      described('For a whole head, however slowly it comes. 15s; Node only.'),
    ),
  ),
  keepAlive: v.exactOptional(
    v.pipe(within(1000, MAX_KEEP_ALIVE_MS), described('How long an idle connection is kept. 65s; Node only.')),
  ),
  connections: v.exactOptional(
    v.pipe(count(1, MAX_CONNECTIONS), described('Connections at the same time. 10k; Node only.')),
  ),
  requestsPerConnection: v.exactOptional(
    v.pipe(count(1, MAX_CONNECTIONS), described('Requests after which a connection is closed. 10k; Node only.')),
  ),
})

const audit = v.strictObject({
  file: AUDIT_FILE,
  hmacSecret: v.pipe(text(), described('Key of the prompts’ HMAC-SHA-256: at least 16 bytes, better 32.')),
  onFailure: v.optional(
    v.pipe(oneOf(['deny', 'serve']), described('What happens to requests while the log cannot be written.')),
    'deny',
  ),
  maxFileSize: v.optional(
    v.pipe(
      quantity('size', MIN_AUDIT_FILE_BYTES, MAX_AUDIT_FILE_BYTES),
      described('Size at which a new file is begun.'),
    ),
    formatQuantity('size', DEFAULT_AUDIT_FILE_BYTES),
  ),
  ...AUDIT_PROOF,
  ...AUDIT_RETENTION,
  forward: FORWARD,
})

const sealedWeights = v.strictObject({
  dir: v.pipe(path, described('The folder of the model files.')),
  manifest: v.exactOptional(v.pipe(path, described('Its manifest; absent: `sallyport-weights.json` in the folder.'))),
  key: v.optional(
    v.pipe(path, described('The key that the manifest is checked with, a JWK or a JWK Set.')),
    'keys/audit-signing.jwk.json',
  ),
})

const STATE = /^(embedded(:.+)?|rediss?(\+cluster|\+sentinel)?:\/\/\S+)$/

const state = v.optional(
  v.pipe(
    text(),
    v.regex(STATE, 'should be "embedded", "embedded:FILE", or a URL that begins with redis:// or rediss://'),
    described(
      '`embedded` (one instance), with the file of its database behind a colon (`state/sallyport.db`), or the URL of a Redis or Valkey server.',
    ),
  ),
  'embedded',
)

export const DOCUMENT = v.strictObject({
  listen: v.optional(listen, {}),
  tls: v.exactOptional(v.pipe(tls, described('Absent: plain HTTP, on loopback only.'))),
  proxies: v.exactOptional(v.pipe(proxies, described('Proxies in front of the gateway.'))),
  admin: v.exactOptional(
    v.pipe(admin, described('Listener of the admin API and of `/metrics`; absent: there is none.')),
  ),
  state,
  tokens: v.optional(TOKENS, {}),
  models: v.pipe(list(model), v.minLength(1, 'should name at least one model')),
  timeouts: v.optional(
    v.strictObject({
      firstByte: timeout(DEFAULT_FIRST_BYTE_MS),
      idle: timeout(DEFAULT_IDLE_MS),
      total: timeout(DEFAULT_TOTAL_MS),
      count: v.optional(
        v.pipe(
          quantity('duration', 1, MAX_COUNT_MS),
          described('Longest wait for a model server to count the tokens of a prompt.'),
        ),
        formatQuantity('duration', DEFAULT_COUNT_MS),
      ),
    }),
    {},
  ),
  quotas: v.optional(list(QUOTA), []),
  instances: v.optional(
    v.pipe(
      count(1, 1000),
      described(
        'Gateways that share the store: `maxInFlight`, and limits that are `local` in an outage, are divided by it.',
      ),
    ),
    1,
  ),
  admission: v.optional(ADMISSION, {}),
  guard: v.optional(GUARD, {}),
  request: v.optional(request, {}),
  limits: v.optional(listenerLimits, {}),
  audit,
  telemetry: v.exactOptional(v.pipe(TELEMETRY, described('Where metrics and traces are sent.'))),
  weights: v.optional(
    v.pipe(list(sealedWeights), described('Sealed folders of model files, for `sallyport checklist` to look at.')),
    [],
  ),
})

/** The part that says where the log is. */
export const AUDIT_FILE_DOCUMENT = v.object({ file: AUDIT_FILE })

/** The parts that say where the log is and where it is sent. */
export const FORWARD_DOCUMENT = v.strictObject({ file: AUDIT_FILE, forward: FORWARD })

/** The part that says where issued and revoked tokens are kept. */
export const STATE_DOCUMENT = v.strictObject({ state })

export type Document = v.InferOutput<typeof DOCUMENT>

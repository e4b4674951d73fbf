import * as v from 'valibot'
import type { ValidatorConfig } from '../validators/validator-config.ts'
import { CLIENT_TLS, resolveClientTls } from './client-tls-schema.ts'
import { count, list, name, oneOf, quantity, text, url } from './fields.ts'
import {
  CLASSIFY_WINDOW,
  DEFAULT_INPUT_WINDOW,
  DEFAULT_MAX_WINDOWS,
  DEFAULT_OUTPUT_WINDOW,
  DEFAULT_VALIDATOR_IN_FLIGHT,
  DEFAULT_VERDICT_MS,
  DEFAULT_VERDICTS,
  MAX_CHECK_MS,
  MAX_IN_FLIGHT,
  MAX_MODEL_ID_CHARACTERS,
  MAX_OUTPUT_WINDOW,
  MAX_TIMEOUT_MS,
  MAX_VERDICTS,
  MAX_WINDOW,
  MAX_WINDOWS,
  MIN_WINDOW,
} from './limits.ts'
import { formatQuantity } from './units.ts'
import { NO_MAPPING } from './unknown-keys.ts'

const described = v.description

/** Any header but those that the connection or the gateway itself sets. */
const HEADER =
  /^(?!(?:host|connection|content-.*|transfer-encoding|accept|accept-encoding|authorization|te|trailer|upgrade|expect|keep-alive|proxy-.*)$)[A-Za-z][A-Za-z0-9-]*$/i

const header = v.pipe(
  text(100),
  v.regex(HEADER, 'should be a header that the gateway does not set itself; a credential goes into apiKey'),
)
const headerValue = v.pipe(text(), v.regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'should be printable ASCII'))

const window = (max: number) => v.exactOptional(v.pipe(count(MIN_WINDOW, max), described('Characters seen at once.')))

/** One entry of `guard.validators`. */
export const VALIDATOR = v.strictObject({
  name: v.pipe(name, described('Unique; appears in records, metrics and refusals.')),
  kind: v.pipe(
    oneOf(['vllm-classify', 'chat', 'http']),
    described('A classifier behind vLLM, a chat model that answers safe or unsafe, a service of your own.'),
  ),
  url: v.pipe(url(['http:', 'https:']), described('Its address; of `http`, the whole of it.')),
  model: v.exactOptional(v.pipe(text(MAX_MODEL_ID_CHARACTERS), described('The model it runs; `chat` needs it.'))),
  apiKey: v.exactOptional(v.pipe(headerValue, described('Sent as a bearer token.'))),
  headers: v.exactOptional(v.pipe(v.record(header, headerValue, NO_MAPPING), described('Sent with every call.'))),
  on: v.optional(v.pipe(list(oneOf(['input', 'output'])), v.minLength(1, 'should name input, output or both')), [
    'input',
  ]),
  action: v.optional(
    v.pipe(oneOf(['block', 'flag']), described('What a bad verdict does; `flag` only records it.')),
    'block',
  ),
  threshold: v.exactOptional(
    v.pipe(
      v.number('should be a number from 0 to 1'),
      v.minValue(0, 'should be from 0 to 1'),
      v.maxValue(1, 'should be from 0 to 1'),
      described('Score from which a text is bad; absent: the word of the validator counts.'),
    ),
  ),
  labels: v.exactOptional(
    v.pipe(
      list(text(100)),
      v.minLength(1, 'should name at least one label'),
      described('`vllm-classify`: the labels that are bad; absent: all but BENIGN, SAFE, LEGIT and LABEL_0.'),
    ),
  ),
  prompt: v.exactOptional(
    v.pipe(
      text(65_536),
      v.regex(/\{text\}/, 'should have {text} where the text goes'),
      described(
        '`chat`: the policy prompt, with `{text}`; absent: the text alone, for models with a policy of their own.',
      ),
    ),
  ),
  tls: v.exactOptional(v.pipe(CLIENT_TLS, described('With https: who the server has to be, and who the gateway is.'))),
  guard: v.exactOptional(v.pipe(text(200), described('`http`: a guard of a Guardrails AI server at the address.'))),
  timeout: v.exactOptional(
    v.pipe(quantity('duration', 1, MAX_CHECK_MS), described('For one whole check, waiting included.')),
  ),
  onFailure: v.optional(
    v.pipe(oneOf(['block', 'allow']), described('What happens to what could not be checked.')),
    'block',
  ),
  input: v.exactOptional(
    v.strictObject({
      mode: v.optional(
        v.pipe(
          oneOf(['before', 'alongside']),
          described('Whether the model waits for the verdict, or only the caller.'),
        ),
        'before',
      ),
      window: window(MAX_WINDOW),
      maxWindows: v.optional(
        v.pipe(count(1, MAX_WINDOWS), described('Most windows of one prompt; a longer one cannot be checked.')),
        DEFAULT_MAX_WINDOWS,
      ),
    }),
  ),
  output: v.exactOptional(
    v.strictObject({
      mode: v.optional(
        v.pipe(oneOf(['hold', 'alongside']), described('Whether text of a stream waits for its verdict.')),
        'hold',
      ),
      window: window(MAX_OUTPUT_WINDOW),
    }),
  ),
  cache: v.exactOptional(
    v.strictObject({
      ttl: v.optional(
        v.pipe(quantity('duration', 1, MAX_TIMEOUT_MS), described('How long a verdict is remembered.')),
        formatQuantity('duration', DEFAULT_VERDICT_MS),
      ),
      entries: v.optional(v.pipe(count(0, MAX_VERDICTS), described('Verdicts remembered; 0: none.')), DEFAULT_VERDICTS),
    }),
  ),
  maxInFlight: v.optional(
    v.pipe(count(1, MAX_IN_FLIGHT), described('Calls at the same time.')),
    DEFAULT_VALIDATOR_IN_FLIGHT,
  ),
})

type ValidatorDocument = v.InferOutput<typeof VALIDATOR>

/** What each kind needs: small classifiers answer in milliseconds and read little, chat models neither. */
const BY_KIND = {
  'vllm-classify': { timeoutMs: 300, window: CLASSIFY_WINDOW },
  http: { timeoutMs: 1000, window: DEFAULT_INPUT_WINDOW },
  chat: { timeoutMs: 5000, window: DEFAULT_INPUT_WINDOW },
} as const

/** Fills in the defaults. */
export function resolveValidator(document: ValidatorDocument, resolvePath: (path: string) => string): ValidatorConfig {
  const { url: address, headers, tls, timeout, input, output, cache, ...same } = document
  const defaults = BY_KIND[document.kind]
  return {
    ...same,
    // Of a service of one's own the address is taken as it is: nothing is put behind it.
    url: document.kind === 'http' && document.guard === undefined ? address : address.replace(/\/+$/, ''),
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([key, value]) => [key.toLowerCase(), value])),
    ...(tls !== undefined && { tls: resolveClientTls(tls, resolvePath) }),
    timeoutMs: timeout ?? defaults.timeoutMs,
    input: {
      mode: input?.mode ?? 'before',
      window: input?.window ?? defaults.window,
      maxWindows: input?.maxWindows ?? DEFAULT_MAX_WINDOWS,
    },
    output: { mode: output?.mode ?? 'hold', window: output?.window ?? DEFAULT_OUTPUT_WINDOW },
    cache: { ttlMs: cache?.ttl ?? DEFAULT_VERDICT_MS, entries: cache?.entries ?? DEFAULT_VERDICTS },
  }
}

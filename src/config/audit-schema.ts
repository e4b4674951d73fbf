import * as v from 'valibot'
import type { CheckpointConfig, CheckpointPlaceConfig } from './config.ts'
import { list, oneOf, quantity, text } from './fields.ts'
import {
  DEFAULT_CHECKPOINT_EVERY_MS,
  MAX_AUDIT_FILE_AGE_MS,
  MAX_CHECKPOINT_PLACES,
  MAX_PREVIOUS_SECRETS,
  MAX_TIMEOUT_MS,
  MIN_AUDIT_FILE_AGE_MS,
  MIN_CHECKPOINT_EVERY_MS,
} from './limits.ts'
import { formatQuantity } from './units.ts'

const described = v.description

export const AUDIT_FILE = v.optional(v.pipe(text(), described('The log, JSON Lines.')), 'audit/audit.jsonl')

/** A line of a signed note: what stands in one is read by people and by programs. */
const origin = v.pipe(
  text(200),
  v.regex(/^[^\s+\p{Cc}]+$/u, 'should have no white space and no plus sign'),
  described('Names the log in its checkpoints (default: after the host and the file).'),
)

const place = v.strictObject({
  kind: v.pipe(oneOf(['file', 'redis', 'http']), described('A file that is appended to, a Redis stream, a POST.')),
  path: v.exactOptional(v.pipe(text(), described('Of `file`.'))),
  url: v.exactOptional(v.pipe(text(), described('Of `redis` (as in `state`) and `http`.'))),
  token: v.exactOptional(v.pipe(text(), described('Of `http`: sent as a bearer token.'))),
})

/** What makes the log a proof: the keys of `audit` about beginnings, files by age, secrets and checkpoints. */
export const AUDIT_PROOF = {
  intent: v.optional(
    v.pipe(
      oneOf(['durable', 'written', 'off']),
      described('A record before a request is sent on: waited for until it is on disk, written meanwhile, or none.'),
    ),
    'written',
  ),
  maxFileAge: v.exactOptional(
    v.pipe(
      quantity('duration', MIN_AUDIT_FILE_AGE_MS, MAX_AUDIT_FILE_AGE_MS),
      described('Age of its first record at which a new file is begun.'),
    ),
  ),
  previousHmacSecrets: v.optional(
    v.pipe(
      list(text()),
      v.maxLength(MAX_PREVIOUS_SECRETS, `should have at most ${MAX_PREVIOUS_SECRETS} entries`),
      described('Earlier values of `hmacSecret`, for `audit hmac` alone.'),
    ),
    [],
  ),
  checkpoint: v.exactOptional(
    v.pipe(
      v.strictObject({
        every: v.optional(
          quantity('duration', MIN_CHECKPOINT_EVERY_MS, MAX_TIMEOUT_MS),
          formatQuantity('duration', DEFAULT_CHECKPOINT_EVERY_MS),
        ),
        key: v.pipe(text(), described('The private key: an Ed25519 JWK, as `keys init` makes it.')),
        previousKeys: v.optional(
          v.pipe(
            list(text()),
            v.maxLength(MAX_PREVIOUS_SECRETS, `should have at most ${MAX_PREVIOUS_SECRETS} entries`),
            described('Keys that signed before, or their public parts, a JWK or a JWK Set each.'),
          ),
          [],
        ),
        origin: v.exactOptional(origin),
        to: v.exactOptional(
          v.pipe(
            list(place),
            v.minLength(1, 'should name at least one'),
            v.maxLength(MAX_CHECKPOINT_PLACES, `should have at most ${MAX_CHECKPOINT_PLACES} entries`),
            described('Where they go (default: a file beside the log).'),
          ),
        ),
      }),
      described('Signed heads of the chain, kept where the log is not.'),
    ),
  ),
}

export type CheckpointDocument = Exclude<v.InferOutput<(typeof AUDIT_PROOF)['checkpoint']>, undefined>
export type PlaceDocument = v.InferOutput<typeof place>

/** Where checkpoints go, with the file beside the log for those that go nowhere else. The document is a valid one. */
export function resolveCheckpoint(
  { every, key, previousKeys, origin: name, to }: CheckpointDocument,
  log: string,
  resolvePath: (path: string) => string,
): CheckpointConfig {
  return {
    everyMs: every,
    key: resolvePath(key),
    previousKeys: previousKeys.map(resolvePath),
    ...(name !== undefined && { origin: name }),
    to: to?.map(entry => resolvePlace(entry, resolvePath)) ?? [{ kind: 'file', path: `${log}.checkpoints` }],
  }
}

function resolvePlace(
  { kind, path = '', url = '', token }: PlaceDocument,
  resolvePath: (path: string) => string,
): CheckpointPlaceConfig {
  if (kind === 'file') return { kind, path: resolvePath(path) }
  if (kind === 'redis') return { kind, url }
  return { kind, url, ...(token !== undefined && { token }) }
}

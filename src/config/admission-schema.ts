import * as v from 'valibot'
import type { AdmissionConfig } from './config.ts'
import { count, list, name, oneOf, quantity } from './fields.ts'
import {
  DEFAULT_MAX_WAIT_MS,
  DEFAULT_QUEUED,
  DEFAULT_QUEUED_BYTES,
  DEFAULT_QUEUED_PER_TEAM,
  MAX_PRIORITIES,
  MAX_QUEUED,
  MAX_QUEUED_BYTES,
  MAX_TIMEOUT_MS,
  MAX_WEIGHT,
} from './limits.ts'
import { formatQuantity } from './units.ts'
import { NO_MAPPING } from './unknown-keys.ts'

const described = v.description

const queue = v.strictObject({
  perTeam: v.optional(
    v.pipe(count(0, MAX_QUEUED), described('Requests of one team that wait for one model.')),
    DEFAULT_QUEUED_PER_TEAM,
  ),
  total: v.optional(
    v.pipe(count(0, MAX_QUEUED), described('Requests that wait for one model; 0: none, they are refused.')),
    DEFAULT_QUEUED,
  ),
  memory: v.optional(
    v.pipe(quantity('size', 1024, MAX_QUEUED_BYTES), described('Size of all request bodies that wait.')),
    formatQuantity('size', DEFAULT_QUEUED_BYTES),
  ),
})

export const ADMISSION = v.strictObject({
  per: v.optional(
    v.pipe(oneOf(['team', 'app']), described('Who has a share: each team, or each application of a team.')),
    'team',
  ),
  queue: v.optional(queue, {}),
  maxWait: v.optional(
    v.pipe(quantity('duration', 1, MAX_TIMEOUT_MS), described('Longest time that a request waits for its turn.')),
    formatQuantity('duration', DEFAULT_MAX_WAIT_MS),
  ),
  weights: v.optional(
    v.pipe(
      v.record(v.string(), count(1, MAX_WEIGHT), NO_MAPPING),
      described('Shares by team, or by `team/app` with `per: app`; 1 for those that are not named.'),
    ),
    {},
  ),
  priorities: v.optional(
    v.pipe(
      list(name),
      v.minLength(1, 'should name at least one class'),
      v.maxLength(MAX_PRIORITIES, `should name at most ${MAX_PRIORITIES} classes`),
      described('Values of the `priority` claim of tokens, the first goes first.'),
    ),
    ['interactive', 'standard', 'batch'],
  ),
  defaultPriority: v.optional(
    v.pipe(name, described('The class of tokens without the claim, or with another value.')),
    'standard',
  ),
})

export function resolveAdmission({ queue: line, maxWait, ...rest }: v.InferOutput<typeof ADMISSION>): AdmissionConfig {
  const { perTeam, total, memory } = line
  return { ...rest, queue: { perTeam, total, memoryBytes: memory }, maxWaitMs: maxWait }
}

import * as v from 'valibot'
import { QUOTA_PARTS } from '../quota/limit.ts'
import { CALLERS } from './callers-schema.ts'
import { count, list, name, oneOf, quantity } from './fields.ts'
import { MAX_IN_FLIGHT, MAX_TOKENS, MAX_WINDOW_MS, MIN_WINDOW_MS } from './limits.ts'

/** The `quotas` part of the document: one limit. */

const described = v.description

const most = (max: number, help: string) => v.exactOptional(v.pipe(count(1, max), described(help)))
const weight = v.optional(
  v.pipe(
    v.number('should be a number'),
    v.minValue(0, 'should be from 0 to 1000'),
    v.maxValue(1000, 'should be from 0 to 1000'),
  ),
  1,
)

export const QUOTA = v.strictObject({
  name: v.pipe(name, described('Unique; appears in store keys and metrics.')),
  match: v.exactOptional(v.pipe(CALLERS, described('Only these requests count; absent: all.'))),
  except: v.exactOptional(v.pipe(list(CALLERS), described('Requests that do not count.'))),
  per: v.pipe(list(oneOf(QUOTA_PARTS)), described('Each combination counts on its own; an empty list: all together.')),
  tokens: most(MAX_TOKENS, 'Tokens of input and output in every window.'),
  inputTokens: most(MAX_TOKENS, 'Tokens of input in every window.'),
  outputTokens: most(MAX_TOKENS, 'Tokens of output in every window.'),
  requests: most(MAX_TOKENS, 'Requests in every window.'),
  concurrent: most(MAX_IN_FLIGHT, 'Requests at the same time.'),
  weigh: v.exactOptional(
    v.pipe(
      v.strictObject({ input: weight, output: weight }),
      described('What a token of either side counts towards `tokens`; 1 each where nothing is said.'),
    ),
  ),
  override: v.exactOptional(
    v.pipe(
      v.strictObject({
        tokens: most(MAX_TOKENS, 'Most tokens of input and output.'),
        inputTokens: most(MAX_TOKENS, 'Most tokens of input.'),
        outputTokens: most(MAX_TOKENS, 'Most tokens of output.'),
        requests: most(MAX_TOKENS, 'Most requests.'),
        concurrent: most(MAX_IN_FLIGHT, 'Most requests at the same time.'),
      }),
      described('How far the `limits` claim of a token may set these for itself; absent: not at all.'),
    ),
  ),
  onExhausted: v.exactOptional(
    v.pipe(
      oneOf(['finish', 'cut']),
      described('A stream that needs more than is left: `finish` (the debt counts) or `cut` (finish reason `length`).'),
    ),
  ),
  onOutage: v.exactOptional(
    v.pipe(
      oneOf(['deny', 'local', 'allow']),
      described('While the store is away: no request, this instance’s share of the limit, or no limit.'),
    ),
  ),
  window: v.exactOptional(
    v.pipe(quantity('duration', MIN_WINDOW_MS, MAX_WINDOW_MS), described('Length of the sliding window.')),
  ),
})

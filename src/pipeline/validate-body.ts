import { MAX_ANSWER_WINDOWS } from '../config/limits.ts'
import type { Refusal } from '../errors/refusal.ts'
import { bodyTexts } from '../validators/answer-texts.ts'
import { windowsOf } from '../validators/windows.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'
import { conclude, subjectOf } from './validation.ts'

/** What do the validators say to a whole answer, as the guard has left it? It waits for all of them. */
export async function validateBody(
  exchange: Exchange,
  services: Services,
  bytes: Uint8Array,
): Promise<Refusal | undefined> {
  const validators = services.validators?.of('output', exchange.policy?.validators) ?? []
  if (validators.length === 0) return undefined
  const texts = bodyTexts(bytes, exchange.endpoint.answer)
  if (!texts) return { code: 'upstream_invalid' }
  const gone = new AbortController()
  exchange.onGone(() => gone.abort())
  const subject = subjectOf(exchange, 'output')
  const checks = validators.map(async validator => {
    // Nothing of it has gone out, so it is cut as a prompt is.
    const windows = windowsOf(texts, validator.config.input.window, MAX_ANSWER_WINDOWS)
    const outcome = windows
      ? await validator.check(windows, subject, gone.signal)
      : ({ kind: 'failed', reason: `more than ${MAX_ANSWER_WINDOWS} windows` } as const)
    return conclude(exchange, 'output', validator, outcome)
  })
  return (await Promise.all(checks)).find(refusal => refusal !== undefined)
}

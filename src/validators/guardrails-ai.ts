import { isObject, type Reading, unreadable, type ValidatorKind } from './kind.ts'
import type { ValidatorConfig } from './validator-config.ts'

/**
 * A guard of a Guardrails AI server: `POST /guards/{name}/validate`, `{llmOutput}` → `{validationPassed, validatedOutput}`.
 * A text that the guard would have changed (`on_fail: fix`) has not passed: the change is not taken over. A guard that
 * raises (`on_fail: exception`) answers with the status 400.
 */
export function guardrailsAi({ url }: ValidatorConfig, guard: string): ValidatorKind {
  const bad: Reading = { ok: true, verdict: { bad: true } }
  return {
    url: `${url}/guards/${encodeURIComponent(guard)}/validate`,
    closeAfter: false,
    body: text => ({ llmOutput: text }),
    read(answer, text): Reading {
      if (!isObject(answer)) return unreadable('not an object')
      const { validationPassed, validatedOutput } = answer
      if (typeof validationPassed !== 'boolean') return unreadable('no "validationPassed" that is true or false')
      if (!validationPassed || (typeof validatedOutput === 'string' && validatedOutput !== text)) return bad
      return { ok: true, verdict: { bad: false } }
    },
    readStatus: status => (status === 400 ? bad : undefined),
    scope: () => [],
  }
}

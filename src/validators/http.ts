import { isObject, isScore, type Reading, unreadable, type ValidatorKind, wordOf } from './kind.ts'
import type { ValidatorConfig } from './validator-config.ts'

/**
 * A service of the company's own. It is sent `{text, stage, requestId, team, app, env, model}` and answers
 * `{pass, score?, label?}`: `pass` decides, or `score` where the configuration has a threshold.
 */
export function httpValidator({ url, threshold }: ValidatorConfig): ValidatorKind {
  return {
    url,
    closeAfter: false,
    body: (text, { stage, requestId, team, app, env, model }) => ({ text, stage, requestId, team, app, env, model }),
    read(answer): Reading {
      if (!isObject(answer)) return unreadable('not an object')
      const { pass, score, label } = answer
      if (threshold !== undefined) {
        if (!isScore(score)) return unreadable('no "score" from 0 to 1')
        return { ok: true, verdict: { bad: score >= threshold, ...wordOf(label) } }
      }
      if (typeof pass !== 'boolean') return unreadable('no "pass" that is true or false')
      return { ok: true, verdict: { bad: !pass, ...wordOf(label) } }
    },
    scope: ({ stage, app, env, model }) => [stage, app, env, model],
  }
}

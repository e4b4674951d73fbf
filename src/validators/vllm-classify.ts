import { isObject, isScore, type Reading, unreadable, type ValidatorKind, wordOf } from './kind.ts'
import type { ValidatorConfig } from './validator-config.ts'

/** What models call harmless text (Prompt Guard, ProtectAI, deepset, models without names). Anything else counts as bad. */
const HARMLESS = new Set(['BENIGN', 'SAFE', 'LEGIT', 'LABEL_0'])

/**
 * A classifier behind vLLM's `POST /classify`: `{model, input}` → `{data: [{label, probs, num_classes}]}`. The server names
 * only the likeliest class, so the score is its probability when it is bad, and what is left of 1 when it is not.
 */
export function vllmClassify({ url, model, labels, threshold }: ValidatorConfig): ValidatorKind {
  const isBad = labels
    ? (label: string) => labels.includes(label)
    : (label: string) => !HARMLESS.has(label.toUpperCase())
  return {
    url: `${url}/classify`,
    closeAfter: false,
    body: text => ({ ...(model === undefined ? {} : { model }), input: text }),
    read(answer): Reading {
      const data = isObject(answer) ? answer['data'] : undefined
      const [only, ...more] = Array.isArray(data) ? (data as unknown[]) : []
      if (!isObject(only) || more.length > 0) return unreadable('no "data" with one entry')
      const { label, probs } = only
      if (typeof label !== 'string' || label === '') return unreadable('no "label"')
      if (!Array.isArray(probs) || probs.length === 0 || !probs.every(isScore)) {
        return unreadable('no "probs" from 0 to 1')
      }
      const likeliest = Math.max(...(probs as number[]))
      // A single class is what the model looks for, whatever its name.
      const bad = probs.length === 1 && !labels ? likeliest >= 0.5 : isBad(label)
      const score = bad || probs.length === 1 ? likeliest : 1 - likeliest
      return { ok: true, verdict: { bad: threshold === undefined ? bad : score >= threshold, ...wordOf(label) } }
    },
    scope: () => [],
  }
}

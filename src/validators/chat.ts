import { isObject, type Reading, type Subject, unreadable, type ValidatorKind } from './kind.ts'
import type { ValidatorConfig } from './validator-config.ts'

/** `unsafe` and a line of categories such as `S1,S10`: with room for all fourteen. */
const MAX_VERDICT_TOKENS = 64
const PLACE = '{text}'
/** What the assistant's text answers, when it is judged: models of this kind know no answer without a question. */
const QUESTION = 'Please go on.'
const CATEGORIES = /^[A-Z]{1,3}\d{1,3}(?:,\s?[A-Z]{1,3}\d{1,3}){0,31}$/

/**
 * A chat model that answers `safe`, or `unsafe` with categories in the next line (Llama Guard), behind
 * `POST /v1/chat/completions`. Its policy is in its own chat template, or in `prompt`. The score is how sure it was of the
 * word it wrote, from `logprobs`.
 */
export function chatValidator({ url, model, prompt, threshold }: ValidatorConfig): ValidatorKind {
  const base = url.endsWith('/v1') ? url : `${url}/v1`
  return {
    url: `${base}/chat/completions`,
    // It may be a llama-server (see `pinsThreads` in forward.ts), and a connection is nothing beside a model's answer.
    closeAfter: true,
    body: (text, subject) => ({
      model,
      messages: messagesOf(text, subject, prompt),
      temperature: 0,
      max_tokens: MAX_VERDICT_TOKENS,
      stream: false,
      ...(threshold === undefined ? {} : { logprobs: true }),
    }),
    read: answer => readVerdict(answer, threshold),
    scope: ({ stage }) => [stage],
  }
}

function messagesOf(text: string, { stage }: Subject, prompt: string | undefined) {
  // A function, since the text may hold `$&` and the like.
  if (prompt !== undefined) return [{ role: 'user', content: prompt.replaceAll(PLACE, () => text) }]
  if (stage === 'input') return [{ role: 'user', content: text }]
  return [
    { role: 'user', content: QUESTION },
    { role: 'assistant', content: text },
  ]
}

function readVerdict(answer: unknown, threshold: number | undefined): Reading {
  const choices = isObject(answer) ? answer['choices'] : undefined
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  const message = isObject(choice) ? choice['message'] : undefined
  const content = isObject(message) ? message['content'] : undefined
  if (!isObject(choice) || typeof content !== 'string') return unreadable('no message')
  const [word = '', categories = ''] = content.trim().split(/\s*\n\s*/, 2)
  // Both words whole: whatever else a model says, it is not that the text is safe.
  if (word !== 'safe' && word !== 'unsafe') return unreadable('neither "safe" nor "unsafe"')
  const unsafe = word === 'unsafe'
  const label = unsafe && CATEGORIES.test(categories) ? { label: categories } : {}
  if (threshold === undefined) return { ok: true, verdict: { bad: unsafe, ...label } }
  const sureness = surenessOf(choice['logprobs'], word)
  if (sureness === undefined) return unreadable('no "logprobs" of the verdict')
  return { ok: true, verdict: { bad: (unsafe ? sureness : 1 - sureness) >= threshold, ...label } }
}

/** The probability of the tokens that make up the word; undefined where the answer does not tell. */
function surenessOf(logprobs: unknown, word: string): number | undefined {
  const tokens = isObject(logprobs) ? logprobs['content'] : undefined
  if (!Array.isArray(tokens)) return undefined
  let text = ''
  let sum = 0
  for (const token of tokens as unknown[]) {
    if (!isObject(token) || typeof token['token'] !== 'string' || typeof token['logprob'] !== 'number') return undefined
    text += token['token']
    if (text.trim() === '') continue
    sum += token['logprob']
    if (text.trim().length >= word.length) break
  }
  const sureness = Math.exp(sum)
  return text.trimStart().startsWith(word) && sureness >= 0 && sureness <= 1 ? sureness : undefined
}

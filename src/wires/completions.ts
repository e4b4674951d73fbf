import { each, error, finish, index, logprobs, object, plain, type Shape, text, usage } from '../json/shape.ts'
import { ECHOES } from './echoes.ts'

/** Where the texts of `/v1/completions` live: the answer, and each event of the stream. */
export const COMPLETIONS: Shape = object({
  id: plain,
  object: plain,
  model: plain,
  system_fingerprint: plain,
  created: plain,
  usage,
  error,
  ...ECHOES,
  choices: each(
    object(
      { index, finish_reason: finish, logprobs, text: text('text'), ...ECHOES },
      { scope: 'choice', holdsText: true },
    ),
  ),
})

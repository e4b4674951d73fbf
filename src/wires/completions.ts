import { dropped, each, error, finish, index, object, plain, type Shape, text, usage } from '../json/shape.ts'

/** Where the texts of `/v1/completions` live: the answer, and each event of the stream. */
export const COMPLETIONS: Shape = object({
  id: plain,
  object: plain,
  model: plain,
  system_fingerprint: plain,
  usage,
  error,
  choices: each(
    object(
      { index, finish_reason: finish, logprobs: dropped, text: text('text') },
      { scope: 'choice', holdsText: true },
    ),
  ),
})

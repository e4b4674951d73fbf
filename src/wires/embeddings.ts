import { each, error, object, plain, type Shape, usage } from '../json/shape.ts'

/** An answer of `/v1/embeddings`: vectors (numbers, or base64 of them), no text. */
export const EMBEDDINGS: Shape = object({
  object: plain,
  model: plain,
  created: plain,
  usage,
  error,
  data: each(object({ object: plain, embedding: plain })),
})

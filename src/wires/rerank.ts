import { each, error, object, plain, type Shape, usage } from '../json/shape.ts'

/** An answer of `/v1/rerank`: scores, and on request the documents, which were guarded on their way in. */
export const RERANK: Shape = object({
  id: plain,
  object: plain,
  model: plain,
  usage,
  error,
  results: each(object({ index: plain, relevance_score: plain })),
})

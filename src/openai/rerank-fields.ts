import * as v from 'valibot'
import { sampling } from './fields.ts'
import { type Fields, flag, integer, manyOf, text } from './schemas.ts'

/** The fields of `/v1/rerank`, as llama.cpp and vLLM take them (after Jina's and Cohere's APIs). */
export const RERANK_FIELDS: Fields = {
  model: sampling.model,
  user: sampling.user,
  query: text,
  documents: manyOf(
    v.lazy(value => (typeof value === 'object' ? v.strictObject({ text }, 'must be a string or { text }') : text)),
    1,
  ),
  top_n: integer(1),
  return_documents: flag,
}

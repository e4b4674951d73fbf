import * as v from 'valibot'

/** Media that travel inside the request. A URL would make the model server fetch it: a request forgery. */
export const inlineData = v.pipe(
  v.string(),
  v.startsWith('data:', 'must be a data: URL; the model server is not sent to fetch addresses'),
)

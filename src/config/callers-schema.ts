import * as v from 'valibot'

import { name, someOf, text } from './fields.ts'
import { MAX_MODEL_ID_CHARACTERS } from './limits.ts'

/** Which requests a setting is about; each value, or a list of which one has to fit. */
export const CALLERS = v.strictObject({
  team: v.exactOptional(someOf(name)),
  app: v.exactOptional(someOf(name)),
  env: v.exactOptional(someOf(name)),
  model: v.exactOptional(someOf(text(MAX_MODEL_ID_CHARACTERS))),
})

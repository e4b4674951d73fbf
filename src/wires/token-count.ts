import { error, object, plain, type Shape } from '../json/shape.ts'

/** An answer of `/v1/messages/count_tokens`: a number. */
export const TOKEN_COUNT: Shape = object({ input_tokens: plain, error })

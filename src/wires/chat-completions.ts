import {
  callArguments,
  each,
  error,
  finish,
  index,
  logprobs,
  object,
  plain,
  type Shape,
  text,
  unmarked,
  usage,
} from '../json/shape.ts'
import { ECHOES } from './echoes.ts'

// The name is the model's to choose: it is checked like any text.
const functionCall = object({ arguments: callArguments })

const toolCalls = each(object({ index, id: plain, type: plain, function: functionCall }, { scope: 'call' }))

/** The texts of a message: whole in an answer, in pieces in a stream. */
const message = object(
  {
    role: plain,
    content: text('content'),
    reasoning_content: text('reasoning_content'),
    reasoning: text('reasoning'),
    refusal: text('refusal'),
    tool_calls: toolCalls,
    function_call: functionCall,
    // Words, not pieces of a text.
    id: unmarked,
    type: unmarked,
    name: unmarked,
  },
  // Clients put the pieces of every field of a delta together, whatever its name.
  { holdsText: true, others: text('other') },
)

/** Where the texts of `/v1/chat/completions` live: the answer, and each event of the stream. */
export const CHAT_COMPLETIONS: Shape = object({
  id: plain,
  object: plain,
  model: plain,
  system_fingerprint: plain,
  service_tier: plain,
  created: plain,
  usage,
  error,
  ...ECHOES,
  choices: each(
    object({ index, finish_reason: finish, logprobs, message, delta: message, ...ECHOES }, { scope: 'choice' }),
  ),
})

/**
 * What OpenAI's own SDKs add to an answer: the value that a text was parsed to, beside that text, and fields of theirs that
 * the model server left out. Programs send such messages back as the conversation, and so do the SDKs' own tool runners. No
 * model server takes these fields.
 */
export const SDK_ADDITIONS: ReadonlySet<unknown> = new Set(['parsed', 'parsed_arguments', 'annotations', 'audio'])

/** Takes them out of messages, or of the items of a Responses conversation, wherever an SDK puts them. */
export function dropSdkAdditions(conversation: unknown): void {
  for (const item of entries(conversation)) {
    dropParsed(item)
    delete item['annotations']
    // An id in it would be a stored answer, which is not kept here: that stays a fault.
    if (item['audio'] === null) delete item['audio']
    for (const part of entries(item['content'])) dropParsed(part)
    for (const call of entries(item['tool_calls'])) if (isObject(call['function'])) dropParsed(call['function'])
  }
}

type JsonObject = Record<string, unknown>

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null

const entries = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

function dropParsed(object: JsonObject): void {
  delete object['parsed']
  delete object['parsed_arguments']
}

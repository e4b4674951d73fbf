import type { Excess } from './excess.ts'
import type { LimitName, Limits } from './limits.ts'
import { MediaCount } from './media-count.ts'
import { schemaExcess } from './schema-bounds.ts'

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown, name: string, limits: Limits) => Excess | undefined

/** The field of a checked request that exceeds a limit first; undefined for none. */
export function limitExcess(fields: Fields, limits: Limits): Excess | undefined {
  for (const name of Object.keys(fields)) {
    const found = CHECKS.get(name)?.(fields[name], name, limits)
    if (found) return found
  }
  return undefined
}

const choices = number('choices')
const outputTokens = number('outputTokens')
const topLogprobs = number('topLogprobs')

/** By the name of the field; `fields` in `limits.ts` says the same for the reference. */
export const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['n', choices],
  ['best_of', choices],
  ['max_tokens', outputTokens],
  ['max_completion_tokens', outputTokens],
  ['max_output_tokens', outputTokens],
  ['thinking', (value, name, limits) => outputTokens(member(value, 'budget_tokens'), `${name}.budget_tokens`, limits)],
  ['top_logprobs', topLogprobs],
  ['logprobs', topLogprobs],
  ['stop', stops],
  ['stop_sequences', stops],
  ['messages', conversation],
  ['input', conversation],
  ['prompt', items('inputs')],
  ['documents', items('documents')],
  ['top_n', number('documents')],
  ['tools', tools],
  ['functions', tools],
  [
    'response_format',
    (value, name, limits) =>
      schema(member(value, 'schema'), `${name}.schema`, limits) ??
      schema(member(member(value, 'json_schema'), 'schema'), `${name}.json_schema.schema`, limits),
  ],
  ['text', (value, name, limits) => schema(member(member(value, 'format'), 'schema'), `${name}.format.schema`, limits)],
  ['logit_bias', logitBias],
  ['grammar', grammar],
])

/** A number, where the field is one: `logprobs` of a chat is a flag. */
function number(limitName: LimitName): Check {
  return (value, param, { [limitName]: limit }) =>
    typeof value === 'number' && value > limit ? { param, amount: value, limit } : undefined
}

function items(limitName: LimitName): Check {
  return (value, param, { [limitName]: limit }) =>
    Array.isArray(value) && value.length > limit ? { param, amount: value.length, what: 'items', limit } : undefined
}

function stops(value: unknown, name: string, limits: Limits): Excess | undefined {
  const many = items('stops')(value, name, limits)
  if (many) return many
  const limit = limits.stopCharacters
  const tooLong = (text: unknown) => typeof text === 'string' && text.length > limit
  const list = Array.isArray(value) ? (value as unknown[]) : [value]
  const index = list.findIndex(tooLong)
  if (index < 0) return undefined
  const param = Array.isArray(value) ? `${name}[${index}]` : name
  return { param, amount: String(list[index]).length, what: 'characters', limit }
}

/** Messages and items of a conversation, with the media in them; or texts to embed. */
function conversation(value: unknown, name: string, limits: Limits): Excess | undefined {
  if (!Array.isArray(value)) return undefined
  const isTexts = typeof value[0] === 'string'
  return (
    items(isTexts ? 'inputs' : 'messages')(value, name, limits) ??
    (isTexts ? undefined : new MediaCount(limits).list(value, name))
  )
}

/** A tool has its schema where its wire puts it. */
function tools(value: unknown, name: string, limits: Limits): Excess | undefined {
  const many = items('tools')(value, name, limits)
  if (many || !Array.isArray(value)) return many
  for (const [index, tool] of value.entries()) {
    const place = `${name}[${index}]`
    const found =
      schema(member(tool, 'parameters'), `${place}.parameters`, limits) ??
      schema(member(tool, 'input_schema'), `${place}.input_schema`, limits) ??
      schema(member(member(tool, 'function'), 'parameters'), `${place}.function.parameters`, limits)
    if (found) return found
  }
  return undefined
}

function schema(value: unknown, place: string, limits: Limits): Excess | undefined {
  return value === undefined || value === null ? undefined : schemaExcess(value, place, limits)
}

function logitBias(value: unknown, param: string, { logitBias: limit }: Limits): Excess | undefined {
  const amount = typeof value === 'object' && value !== null ? Object.keys(value).length : 0
  return amount > limit ? { param, amount, what: 'entries', limit } : undefined
}

function grammar(value: unknown, param: string, { grammarCharacters: limit }: Limits): Excess | undefined {
  if (limit === 0) return { param, forbidden: 'is not allowed: grammars are off here; use response_format' }
  const amount = String(value).length
  return amount > limit ? { param, amount, what: 'characters', limit } : undefined
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}

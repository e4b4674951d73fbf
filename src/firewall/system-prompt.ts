import type { ModelConfig } from '../config/config.ts'
import type { Excess } from './excess.ts'

type Fields = Record<string, unknown>

const isSystem = (role: unknown) => role === 'system' || role === 'developer'
const systemOf = (list: unknown) =>
  Array.isArray(list) ? list.findIndex(item => isSystem((item as Fields | null)?.['role'])) : -1

/** The place of the first instruction that the caller gives as system, by any name that a wire has for it. */
export function callersSystem(fields: Readonly<Fields>): Excess | undefined {
  const forbidden = 'is not allowed: instructions to this model are set by the administrators; write them as user'
  for (const name of ['instructions', 'system']) if (fields[name] !== undefined) return { param: name, forbidden }
  for (const name of ['messages', 'input']) {
    const index = systemOf(fields[name])
    if (index >= 0) return { param: `${name}[${index}].role`, forbidden }
  }
  return undefined
}

/**
 * Whether the caller writes the whole text that the model reads, as on `/v1/completions`: a system prompt has no place
 * there that is not the caller's to end.
 */
export function bypassesSystemPrompt({ systemPrompt, callerSystem }: ModelConfig, path: string): boolean {
  return path === '/v1/completions' && (systemPrompt !== undefined || callerSystem !== 'allow')
}

/**
 * Puts a model's system prompt in front of everything that the caller says, where the wire has its place for it, and what
 * the caller says as system behind it: as it is, or as a user's words.
 */
export function withSystemPrompt(fields: Fields, { systemPrompt, callerSystem }: ModelConfig, path: string): void {
  if (callerSystem === 'demote') demote(fields, path)
  if (systemPrompt === undefined) return
  if (path === '/v1/responses') {
    const own = fields['instructions']
    fields['instructions'] = typeof own === 'string' && own !== '' ? `${systemPrompt}\n\n${own}` : systemPrompt
  } else if (path === '/v1/messages' || path === '/v1/messages/count_tokens') {
    const blocks = blocksOf(fields['system'])
    fields['system'] = blocks.length === 0 ? systemPrompt : [{ type: 'text', text: systemPrompt }, ...blocks]
  } else if (path === '/v1/chat/completions') {
    fields['messages'] = [{ role: 'system', content: systemPrompt }, ...(fields['messages'] as unknown[])]
  }
}

/** What the caller says as system becomes what a user says, in the same order. */
function demote(fields: Fields, path: string): void {
  const name = path === '/v1/responses' ? 'input' : 'messages'
  const said = fields[name]
  const list = typeof said === 'string' ? [{ role: 'user', content: said }] : said
  if (!Array.isArray(list)) return
  const items = (list as Fields[]).map(item => (isSystem(item['role']) ? { ...item, role: 'user' } : item))
  const first = fields['instructions'] ?? fields['system']
  delete fields['instructions']
  delete fields['system']
  fields[name] = first === undefined || first === '' ? items : [{ role: 'user', content: first }, ...items]
}

function blocksOf(system: unknown): unknown[] {
  if (Array.isArray(system)) return system
  return typeof system === 'string' && system !== '' ? [{ type: 'text', text: system }] : []
}

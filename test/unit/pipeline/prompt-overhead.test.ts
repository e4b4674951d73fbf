import { expect, test } from 'vitest'
import { promptOverhead } from '../../../src/pipeline/prompt-overhead.ts'
import { load, MINIMAL } from '../../support/config.ts'

const CHAT = '/v1/chat/completions'
const loaded = await load(MINIMAL)
if (!loaded.ok) throw new Error('it should load')
const [model] = loaded.config.models
if (!model) throw new Error('it has a model')
const hello = { role: 'user', content: 'hello' }
const tokens = (fields: Record<string, unknown>, of = model, path = CHAT) => promptOverhead(fields, of, path).tokens
const plain = tokens({ messages: [hello] })

test('tools are counted with their JSON, and with what templates say about them', () => {
  const parameters = { type: 'object', properties: { city: { type: 'string' } } }
  const one = { type: 'function', function: { name: 'get_weather', parameters } }
  const with1 = tokens({ messages: [hello], tools: [one] })
  // A real llama-server counts 165 tokens more with this tool than without it, by a tokenizer of 3 letters a token.
  expect(with1 - plain).toBeGreaterThan(165)
  expect(with1 - plain).toBeLessThan(330)
  expect(tokens({ messages: [hello], tools: [one, one] })).toBeGreaterThan(with1 + 60)
  expect(promptOverhead({ messages: [hello], tools: [] }, model, CHAT)).toMatchObject({ tokens: plain, tools: false })
})

test('each image or sound is counted, wherever it stands', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'x' }, image, image] }]
  expect(promptOverhead({ messages }, model, CHAT)).toMatchObject({ tokens: plain + 2 * 2048, media: 2 })
})

test('the system prompt of the model is counted where it is sent', () => {
  const kind = { ...model, systemPrompt: 'Be kind to everybody, and brief.' }
  expect(tokens({ messages: [hello] }, kind)).toBeGreaterThan(plain + 10)
  expect(tokens({ prompt: 'x' }, kind, '/v1/completions')).toBe(tokens({ prompt: 'x' }, model, '/v1/completions'))
})

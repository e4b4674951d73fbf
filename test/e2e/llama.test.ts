import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { startLlama, waitFor } from '../support/index.ts'

const client = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, timeout: 10_000 })
const messages = [{ role: 'user' as const, content: 'Hello' }]

async function read(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<string[]> {
  const pieces: string[] = []
  for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '')
  return pieces.filter(piece => piece !== '')
}

test('a grammar makes the model stream exactly this text, in pieces', async () => {
  await using llama = await startLlama()
  const grammar = 'root ::= "Call me on +1 555 010 9999."'
  // `grammar` is llama.cpp's own.
  const body = { model: llama.model, messages, stream: true as const, grammar }
  const pieces = await read(await client(llama.url).chat.completions.create(body))
  expect(pieces.join('')).toBe('Call me on +1 555 010 9999.')
  expect(pieces.length).toBeGreaterThan(5)
})

test('a model made to say something says it unasked', async () => {
  await using llama = await startLlama({ say: 'My SSN is 123-45-6789, ünï 🎉.' })
  const pieces = await read(
    await client(llama.url).chat.completions.create({ model: llama.model, messages, stream: true }),
  )
  expect(pieces.join('')).toBe('My SSN is 123-45-6789, ünï 🎉.')
})

test('the slow model is busy until its caller goes away', async () => {
  await using llama = await startLlama({ model: 'slow' })
  const stream = await client(llama.url).chat.completions.create({
    model: llama.model,
    messages,
    stream: true,
    max_tokens: 1500,
  })
  for await (const _ of stream) {
    expect(await llama.slots()).toBe(1)
    break // which aborts the request
  }
  await waitFor('the slot to be free', async () => (await llama.slots()) === 0)
})

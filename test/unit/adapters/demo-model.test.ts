import { expect, test } from 'vitest'
import { createDemoModel } from '../../../adapters/node/demo-model.ts'
import type { UpstreamFailure } from '../../../src/ports/upstream.ts'

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const BASE = 'http://demo.invalid/v1'

interface Heard {
  status: number
  type: string
  text: string
  parts: number
  over: boolean
  failure: UpstreamFailure | undefined
}

function ask(path: string, body: object | string, model = createDemoModel({ paceMs: 1 })) {
  const heard: Heard = { status: 0, type: '', text: '', parts: 0, over: false, failure: undefined }
  let finish: () => void
  const done = new Promise<Heard>(resolve => {
    finish = () => {
      heard.over = true
      resolve(heard)
    }
  })
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
  const flow = model.send(
    { method: 'POST', url: `${BASE}${path}`, headers: {}, body: bytes },
    {
      onHead: (status, headers) => {
        heard.status = status
        heard.type = headers['content-type'] ?? ''
      },
      onData: chunk => {
        heard.parts += 1
        heard.text += new TextDecoder().decode(chunk)
      },
      onEnd: () => finish(),
      onFailure: failure => {
        heard.failure = failure
        finish()
      },
    },
  )
  return { heard, flow, done }
}

const messages = [{ role: 'user', content: [{ type: 'text', text: 'hello there' }] }]
const events = (text: string) =>
  text
    .split('\n\n')
    .filter(line => line.startsWith('data: {'))
    .map(line => JSON.parse(line.slice(6)) as { choices: Record<string, never>[]; usage?: { total_tokens: number } })

test('a chat says what it is, repeats what was said and shows made-up personal data', async () => {
  const { status, type, text } = await ask('/chat/completions', { messages }).done
  expect([status, type]).toEqual([200, 'application/json'])
  const reply = JSON.parse(text) as { choices: [{ message: { content: string }; finish_reason: string }] }
  const { content } = reply.choices[0].message
  expect(content).toContain('demo model')
  expect(content).toContain('hello there')
  expect(content).toContain('@example.com')
  const digits = /(?:\d{4} ){3}\d{4}/.exec(content)?.[0].replaceAll(' ', '') ?? ''
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const n = Number(digit) * (i % 2 === 0 ? 1 : 2)
    return total + (n > 9 ? n - 9 : n)
  }, 0)
  expect(digits.length).toBe(16)
  expect(sum % 10).toBe(0)
})

test('a stream carries the same text in steps, then its reason, usage if asked for, and the end mark', async () => {
  const whole = await ask('/chat/completions', { messages }).done
  const heard = await ask('/chat/completions', { messages, stream: true, stream_options: { include_usage: true } }).done
  const list = events(heard.text)
  expect(heard.type).toBe('text/event-stream')
  expect(heard.parts).toBeGreaterThan(20)
  const text = list
    .map(e => (e.choices[0] as { delta?: { content?: string } } | undefined)?.delta?.content ?? '')
    .join('')
  expect(JSON.parse(whole.text)).toMatchObject({ choices: [{ message: { content: text } }] })
  expect(list.at(-2)?.choices[0]).toMatchObject({ finish_reason: 'stop' })
  expect(list.at(-1)?.choices).toEqual([])
  expect(list.at(-1)?.usage?.total_tokens).toBeGreaterThan(20)
  expect(heard.text.endsWith('data: [DONE]\n\n')).toBe(true)
  const plain = await ask('/chat/completions', { messages, stream: true }).done
  expect(plain.text).not.toContain('"usage"')
})

test('it honours a limit of tokens', async () => {
  const { text } = await ask('/completions', { prompt: 'hi', max_tokens: 3 }).done
  expect(JSON.parse(text)).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 3 } })
})

test('embeddings: one vector for each input', async () => {
  const { text } = await ask('/embeddings', { input: ['a', 'b', 'c'] }).done
  expect((JSON.parse(text) as { data: unknown[] }).data.length).toBe(3)
})

test('what it does not understand is refused', async () => {
  expect((await ask('/chat/completions', 'no json').done).status).toBe(400)
  expect((await ask('/other', {}).done).status).toBe(404)
})

test('it can be paused, resumed and cancelled', async () => {
  const { heard, flow, done } = ask('/chat/completions', { messages, stream: true })
  while (heard.parts < 3) await sleep(1)
  flow.pause()
  const parts = heard.parts
  await sleep(50)
  expect(heard.parts).toBe(parts)
  flow.resume()
  await done
  expect(heard.text).toContain('[DONE]')

  const other = ask('/chat/completions', { messages, stream: true })
  while (other.heard.parts < 3) await sleep(1)
  other.flow.cancel()
  const then = other.heard.parts
  await sleep(50)
  expect([other.heard.parts, other.heard.over]).toEqual([then, false])
})

test('once closed it takes no calls', async () => {
  const model = createDemoModel()
  await model.close()
  expect((await ask('/chat/completions', { messages }, model).done).failure?.kind).toBe('connect')
})

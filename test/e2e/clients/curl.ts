import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProcess, tempDir } from '../../support/index.ts'
import { type Client, LOOKUP, PERSON, QUESTION } from './client.ts'

/** An answer that is not 2xx. */
class Refused extends Error {
  readonly head: string
  readonly body: string

  constructor(head: string, body: string) {
    super(`${head}\n${body}`)
    this.head = head
    this.body = body
  }
}

interface Message {
  readonly content: string | null
  readonly tool_calls?: { id: string; function: { name: string; arguments: string } }[]
}

export const curl: Client = {
  name: 'curl',
  connect: ({ url, token, retries }) => {
    const post = async (path: string, body: object): Promise<string> => {
      const [head, answer] = [join(tempDir(), 'head'), join(tempDir(), 'answer')]
      const where = [`${url}/v1/${path}`, '--dump-header', head, '--output', answer, '--no-buffer', '--silent']
      const headers = ['content-type: application/json', `authorization: Bearer ${token}`].flatMap(one => ['-H', one])
      const how = ['--retry', String(retries), '--data-binary', '@-', '--write-out', '%{http_code}']
      const { code, stdout, stderr } = await runProcess('curl', [...where, ...headers, ...how], {
        input: JSON.stringify(body),
      })
      if (code !== 0) throw new Error(`curl ended with ${code}: ${stderr}`)
      if (stdout !== '200') throw new Refused(readFileSync(head, 'utf8'), readFileSync(answer, 'utf8'))
      return readFileSync(answer, 'utf8')
    }
    const asked = (model: string, question: string) => ({ model, messages: [{ role: 'user', content: question }] })
    const chat = async (body: object): Promise<Message> =>
      JSON.parse(await post('chat/completions', body)).choices[0].message

    return {
      whole: async (model, question) => (await chat(asked(model, question))).content ?? '',

      stream: async (model, question) => {
        const text = await post('chat/completions', { ...asked(model, question), stream: true })
        const events = text.split('\n\n').filter(Boolean)
        if (events.pop() !== 'data: [DONE]') throw new Error(`the stream has no end: ${text.slice(-200)}`)
        const deltas = events.map(event => JSON.parse(event.replace(/^data: /, '')).choices[0]?.delta)
        return deltas.map(delta => delta?.content ?? '').filter(Boolean)
      },

      callTool: async ([first, second], run) => {
        const request = { ...asked(first, QUESTION), tools: [{ type: 'function', function: LOOKUP }] }
        const message = await chat(request)
        const results = (message.tool_calls ?? []).map(call => ({
          role: 'tool',
          tool_call_id: call.id,
          content: run(JSON.parse(call.function.arguments)),
        }))
        const messages = [...request.messages, message, ...results]
        return (await chat({ ...request, model: second, messages })).content ?? ''
      },

      structured: async model => {
        const format = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: PERSON } }
        return JSON.parse((await chat({ ...asked(model, QUESTION), response_format: format })).content ?? '')
      },

      embed: async (model, input) => {
        const { data } = JSON.parse(await post('embeddings', { model, input })) as { data: { embedding: number[] }[] }
        return data.map(({ embedding }) => embedding)
      },

      failure: error => {
        if (!(error instanceof Refused)) throw error
        // After retries the file has the heads of all answers; the last is the one that counts.
        const head = error.head.trim().split('\r\n\r\n').at(-1) ?? ''
        return {
          status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
          code: JSON.parse(error.body).error.code,
          retryAfter: /^retry-after: (.*)$/im.exec(head)?.[1]?.trim(),
        }
      },
    }
  },
}

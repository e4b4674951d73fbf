import OpenAI from 'openai'
import { type Client, LOOKUP, PERSON, QUESTION } from './client.ts'

export const openai: Client = {
  name: 'OpenAI SDK for TypeScript',
  connect: ({ url, token, retries }) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: retries })
    const user = (content: string) => [{ role: 'user' as const, content }]

    return {
      whole: async (model, question) => {
        const answer = await client.chat.completions.create({ model, messages: user(question) })
        return answer.choices[0]?.message.content ?? ''
      },

      stream: async (model, question) => {
        const events = await client.chat.completions.create({ model, messages: user(question), stream: true })
        const pieces: string[] = []
        for await (const { choices } of events) pieces.push(choices[0]?.delta.content ?? '')
        return pieces.filter(Boolean)
      },

      callTool: async ([first, second], run) => {
        const tools = [{ type: 'function' as const, function: LOOKUP }]
        const messages: OpenAI.ChatCompletionMessageParam[] = user(QUESTION)
        const stream = client.chat.completions.stream({ model: first, messages, tools })
        const { message } = (await stream.finalChatCompletion()).choices[0]!
        messages.push(message)
        for (const call of message.tool_calls ?? []) {
          if (call.type !== 'function') continue
          messages.push({ role: 'tool', tool_call_id: call.id, content: run(JSON.parse(call.function.arguments)) })
        }
        const answer = await client.chat.completions.create({ model: second, messages, tools })
        return answer.choices[0]?.message.content ?? ''
      },

      structured: async model => {
        const answer = await client.chat.completions.parse({
          model,
          messages: user(QUESTION),
          response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: PERSON } },
        })
        return JSON.parse(answer.choices[0]?.message.content ?? '')
      },

      embed: async (model, input) => {
        const { data } = await client.embeddings.create({ model, input: [...input] })
        return data.map(({ embedding }) => embedding)
      },

      failure: error => {
        if (!(error instanceof OpenAI.APIError)) throw error
        const retryAfter = error.headers?.get('retry-after') ?? undefined
        return { status: error.status, code: error.code ?? undefined, retryAfter }
      },
    }
  },
}

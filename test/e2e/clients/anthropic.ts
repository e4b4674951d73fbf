import Anthropic from '@anthropic-ai/sdk'
import { type Client, LOOKUP, PERSON, QUESTION } from './client.ts'

const NO_EMBEDDINGS = 'the Messages API has no embeddings'

export const anthropic: Client = {
  name: 'Anthropic SDK',
  lacks: { embed: NO_EMBEDDINGS, structured: 'The field \\"output_config\\" is not known here' },
  connect: ({ url, token, retries }) => {
    const client = new Anthropic({ baseURL: url, apiKey: token, maxRetries: retries })
    const asked = (model: string, question: string) => ({
      model,
      max_tokens: 200,
      messages: [{ role: 'user' as const, content: question }],
    })
    const textOf = ({ content }: Anthropic.Message) =>
      content.map(block => (block.type === 'text' ? block.text : '')).join('')

    return {
      whole: async (model, question) => textOf(await client.messages.create(asked(model, question))),

      stream: async (model, question) => {
        const pieces: string[] = []
        const stream = client.messages.stream(asked(model, question)).on('text', piece => pieces.push(piece))
        await stream.done()
        return pieces
      },

      callTool: async ([first, second], run) => {
        const { name, description, parameters } = LOOKUP
        const tools = [{ name, description, input_schema: parameters }]
        const request = asked(first, QUESTION)
        const { content } = await client.messages.stream({ ...request, tools }).finalMessage()
        const results = content.flatMap(block =>
          block.type === 'tool_use'
            ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: run(block.input) }]
            : [],
        )
        const messages: Anthropic.MessageParam[] = [
          ...request.messages,
          { role: 'assistant', content },
          { role: 'user', content: results },
        ]
        return textOf(await client.messages.create({ ...request, model: second, messages, tools }))
      },

      structured: async model => {
        const format = { type: 'json_schema' as const, schema: PERSON }
        const answer = await client.messages.create({ ...asked(model, QUESTION), output_config: { format } })
        return JSON.parse(textOf(answer))
      },

      embed: () => Promise.reject(new Error(NO_EMBEDDINGS)),

      failure: error => {
        if (!(error instanceof Anthropic.APIError)) throw error
        const body = error.error as { error?: { code?: string } } | undefined
        const retryAfter = error.headers?.get('retry-after') ?? undefined
        return { status: error.status, code: body?.error?.code, retryAfter }
      },
    }
  },
}

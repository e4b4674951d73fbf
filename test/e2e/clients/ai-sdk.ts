import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import {
  APICallError,
  embedMany,
  generateText,
  isStepCount,
  jsonSchema,
  Output,
  RetryError,
  streamText,
  tool,
} from 'ai'
import { type Client, LOOKUP, PERSON, QUESTION } from './client.ts'

export const aiSdk: Client = {
  name: 'Vercel AI SDK',
  connect: ({ url, token, retries: maxRetries }) => {
    const provider = createOpenAICompatible({
      name: 'sallyport',
      baseURL: `${url}/v1`,
      apiKey: token,
      supportsStructuredOutputs: true,
    })

    return {
      whole: async (model, prompt) => (await generateText({ model: provider(model), prompt, maxRetries })).text,

      stream: async (model, prompt) => {
        const pieces: string[] = []
        let failure: unknown
        const onError = (event: { error: unknown }) => void (failure = event.error)
        const { textStream } = streamText({ model: provider(model), prompt, maxRetries, onError })
        for await (const piece of textStream) pieces.push(piece)
        if (failure !== undefined) throw failure as Error
        return pieces
      },

      callTool: async ([first, second], run) => {
        const lookup = tool({
          description: LOOKUP.description,
          inputSchema: jsonSchema<{ email: string; age: number }>(PERSON),
          execute: async input => run(input),
        })
        const result = streamText({
          model: provider(first),
          prompt: QUESTION,
          tools: { lookup },
          stopWhen: isStepCount(2),
          prepareStep: ({ stepNumber }) => ({ model: provider(stepNumber === 0 ? first : second) }),
          maxRetries,
        })
        return result.text
      },

      structured: async model => {
        const output = Output.object({ schema: jsonSchema(PERSON), name: 'person' })
        return (await generateText({ model: provider(model), prompt: QUESTION, output, maxRetries })).output
      },

      embed: async (model, texts) => {
        const { embeddings } = await embedMany({
          model: provider.embeddingModel(model),
          values: [...texts],
          maxRetries,
        })
        return embeddings
      },

      failure: error => {
        const last = RetryError.isInstance(error) ? error.lastError : error
        if (!APICallError.isInstance(last)) throw error
        const body = JSON.parse(last.responseBody ?? '{}') as { error?: { code?: string } }
        return {
          status: last.statusCode,
          code: body.error?.code,
          retryAfter: last.responseHeaders?.['retry-after'],
        }
      },
    }
  },
}

import { type AIMessageChunk, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { type Client, LOOKUP, PERSON, QUESTION } from './client.ts'

export const langchain: Client = {
  name: 'LangChain.js',
  connect: ({ url, token: apiKey, retries: maxRetries }) => {
    const configuration = { baseURL: `${url}/v1` }
    const chat = (model: string) => new ChatOpenAI({ model, apiKey, configuration, maxRetries })
    const tools = [{ type: 'function' as const, function: LOOKUP }]

    return {
      whole: async (model, question) => (await chat(model).invoke(question)).text,

      stream: async (model, question) => {
        const pieces: string[] = []
        for await (const { text } of await chat(model).stream(question)) pieces.push(text)
        return pieces.filter(Boolean)
      },

      callTool: async ([first, second], run) => {
        const question = new HumanMessage(QUESTION)
        let message: AIMessageChunk | undefined
        for await (const chunk of await chat(first).bindTools(tools).stream([question]))
          message = message?.concat(chunk) ?? chunk
        const calls = message?.tool_calls ?? []
        const results = calls.map(({ id, args }) => new ToolMessage({ tool_call_id: id!, content: run(args) }))
        return (
          await chat(second)
            .bindTools(tools)
            .invoke([question, message!, ...results])
        ).text
      },

      structured: model =>
        chat(model).withStructuredOutput(PERSON, { name: 'person', method: 'jsonSchema' }).invoke(QUESTION),

      embed: (model, texts) =>
        new OpenAIEmbeddings({ model, apiKey, configuration, maxRetries }).embedDocuments([...texts]),

      failure: error => {
        const { status, code, headers } = error as { status?: number; code?: string; headers?: Headers }
        return { status, code, retryAfter: headers?.get('retry-after') ?? undefined }
      },
    }
  },
}

import { readFileSync } from 'node:fs'
import type { Script } from '../../support/index.ts'
import { scriptedUpstream, within } from '../../support/index.ts'

/** One event of a chat completion. */
export const delta = (content: string, finish: string | null = null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
})

/** A whole chat completion. */
export const completion = (content: string) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
})

/** The proper ending of a stream. */
export async function endStream(script: Script, usage = { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 }) {
  await script.event(delta('', 'stop'))
  await script.event({ ...delta(''), choices: [], usage })
  await script.event('[DONE]')
  await script.finish()
}

/** Answers well, in whichever form was asked for. */
export async function answerWell(script: Script, words = ['All ', 'is ', 'well.'], pauseMs = 0) {
  if (script.json()['stream'] !== true) {
    await script.sleep(pauseMs)
    return script.reply(200, completion(words.join('')))
  }
  await script.head()
  for (const word of words) {
    await script.event(delta(word))
    if (pauseMs > 0) await script.sleep(pauseMs)
  }
  return endStream(script)
}

const promptOf = (body: string): string =>
  (JSON.parse(body) as { messages: { content: string }[] }).messages.at(-1)?.content ?? ''

/** A model server that does for each prompt what was agreed for it, and answers well otherwise. */
export async function modelServer() {
  const scripts = new Map<string, (script: Script) => unknown>()
  const server = await scriptedUpstream(script => {
    if (script.request.method === 'GET') return script.reply(200, { object: 'list', data: [] })
    const act = scripts.get(promptOf(script.request.body))
    return act ? act(script) : answerWell(script)
  })
  const seen = (prompt: string) =>
    server.requests.find(({ method, body }) => method === 'POST' && promptOf(body) === prompt)
  return {
    ...server,
    on: (prompt: string, act: (script: Script) => unknown) => void scripts.set(prompt, act),
    seen,
    /** When the gateway closed its side of the connection of this request. */
    left: (prompt: string) => {
      const request = seen(prompt)
      if (!request) throw new Error(`${prompt} never came`)
      return within('the model server is left', 2000, request.gone)
    },
  }
}

export type ModelServer = Awaited<ReturnType<typeof modelServer>>

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

import type { Upstream } from '../ports/upstream.ts'

export interface Question {
  readonly url: string
  readonly apiKey?: string | undefined
  readonly timeoutMs: number
  /** How much of the answer is read; 0: its head is enough. */
  readonly maxBytes: number
}

export interface Reply {
  readonly status: number
  /** Empty where only the head was asked for. */
  readonly text: string
}

/**
 * Asks a server something that is about itself. Rejects, with a reason for operators, where it cannot be reached, takes longer
 * than it may or says more than is read.
 */
export function ask(upstream: Upstream, { url, apiKey, timeoutMs, maxBytes }: Question): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder()
    let status = 0
    let text = ''
    let size = 0
    let isOver = false
    const end = (settle: () => void) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      settle()
    }
    const giveUp = (reason: string) => end(() => reject(new Error(reason)))
    const timer = setTimeout(() => {
      giveUp(`no answer within ${timeoutMs} ms`)
      flow?.cancel()
    }, timeoutMs)
    const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
    const flow: ReturnType<Upstream['send']> | undefined = upstream.send(
      { method: 'GET', url, headers: { accept: '*/*', ...authorization } },
      {
        onHead: code => {
          status = code
          if (maxBytes === 0) end(() => resolve({ status, text }))
          if (isOver) flow?.cancel()
        },
        onData: chunk => {
          size += chunk.length
          if (size > maxBytes) giveUp(`more than ${maxBytes} bytes`)
          else text += decoder.decode(chunk, { stream: true })
          if (isOver) flow?.cancel()
        },
        onEnd: () => end(() => resolve({ status, text })),
        onFailure: ({ message }) => giveUp(message),
      },
    )
    if (isOver) flow.cancel()
  })
}

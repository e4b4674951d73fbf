import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Gateway,
  type GatewayOptions,
  type Script,
  scriptedUpstream,
  startGateway,
  startLlama,
} from '../../support/index.ts'

export const SAID = 'My SSN is 123-45-6789, mail bob@example.com. That is all.'
export const LET_OUT = 'My SSN is [US_SSN_REDACTED], mail [EMAIL_REDACTED]. That is all.'
export const PERSON_LET_OUT = { email: '[EMAIL_REDACTED]', age: 42 }

/** Limits of one team each: the gateway's own 429, and how long a library has to wait for the next place. */
const HASTY = { name: 'hasty', match: { team: 'hasty' }, per: ['token'], requests: 1, window: '3s' }
const DENIED = { name: 'denied', match: { team: 'denied' }, per: ['token'], requests: 1, window: '1h' }

export interface Rig extends AsyncDisposable {
  readonly gateway: Gateway
  /** How many requests have come to the gateway so far, by its audit log: all, or those of one application. */
  attempts(app?: string): number
  /** What the server of the model `flaky` answers next before it recovers. */
  fail(statuses: readonly number[]): void
}

/** Real model servers that say, call, structure and embed, one that fails on demand, and the gateway before all of them. */
export async function startRig(options: GatewayOptions = {}): Promise<Rig> {
  const call = { name: 'lookup', arguments: { email: 'bob@example.com', age: 42 } }
  let failures: number[] = []
  const flaky = await scriptedUpstream((script: Script) => {
    const status = failures.shift()
    if (status !== undefined)
      return script.reply(status, { error: { message: 'no', type: 'server_error', code: status } })
    const message = { role: 'assistant', content: 'Recovered.' }
    if (script.request.path.endsWith('/messages')) {
      const content = [{ type: 'text', text: message.content }]
      const usage = { input_tokens: 5, output_tokens: 3 }
      return script.reply(200, {
        id: 'm-1',
        type: 'message',
        model: 'm',
        ...message,
        content,
        stop_reason: 'end_turn',
        usage,
      })
    }
    const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    return script.reply(200, { id: 'c-1', object: 'chat.completion', created: 1, model: 'm', choices, usage })
  })
  const [says, calls, fills, vectors] = await Promise.all([
    startLlama({ say: SAID }),
    startLlama({ say: `<tool_call>${JSON.stringify(call)}</tool_call>` }),
    startLlama({ say: JSON.stringify(call.arguments) }),
    startLlama({ args: ['--embeddings', '--pooling', 'mean'] }),
  ])
  const model = (id: string, { url }: { url: string }) => ({
    id,
    upstreams: [{ url: `${url}/v1`, kind: 'llama.cpp' }],
    maxOutputTokens: 256,
  })
  const gateway = await startGateway({
    ...options,
    config: {
      models: [
        model('says', says),
        model('calls', calls),
        model('fills', fills),
        model('vectors', vectors),
        model('flaky', flaky),
      ],
      request: { maxBody: '64KiB' },
      quotas: [HASTY, DENIED],
      guard: { input: { secrets: 'block' }, output: { pii: 'redact', secrets: 'redact' } },
      ...options.config,
    },
  })
  return {
    gateway,
    attempts: app => {
      const lines = readFileSync(join(gateway.dir, 'audit/audit.jsonl'), 'utf8').split('\n').filter(Boolean)
      const records = lines.map(line => JSON.parse(line) as { outcome: string; app?: string })
      return records.filter(one => one.outcome !== 'begun' && (app === undefined || one.app === app)).length
    },
    fail: statuses => void (failures = [...statuses]),
    [Symbol.asyncDispose]: async () => {
      await gateway.stop()
      await Promise.all([says, calls, fills, vectors, flaky].map(server => server.stop()))
    },
  }
}

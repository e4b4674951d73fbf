import { readFileSync } from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import type { Outcome } from '../../../src/redteam/score.ts'
import { echoMark, type Probe, requestOf } from '../../../src/redteam/suite.ts'
import { reasonOf } from '../../node/error-code.ts'
import { CommandFailure } from '../failure.ts'

const MAX_ANSWER_BYTES = 1024 * 1024
const MAX_ATTEMPTS = 3
const MAX_WAIT_MS = 60_000

export interface TargetOptions {
  /** Of the gateway, with or without `/v1`. */
  readonly url: URL
  readonly token: string
  readonly timeoutMs: number
  readonly concurrency: number
  /** When all has to be done, by `performance.now()`. */
  readonly deadline: number
  /** PEM files: authorities, and the client certificate with its key. */
  readonly ca?: string
  readonly cert?: string
  readonly certKey?: string
}

interface Answer {
  readonly status: number
  readonly retryAfterMs: number
  readonly body: unknown
}

/** A gateway that probes are sent to. */
export class Target {
  private readonly options: TargetOptions
  private readonly agent: http.Agent
  private readonly client: typeof http | typeof https
  private readonly base: string

  constructor(options: TargetOptions) {
    const { url, concurrency, ca, cert, certKey } = options
    this.options = options
    this.client = url.protocol === 'https:' ? https : http
    const tls = { ...(ca && { ca: pem(ca) }), ...(cert && { cert: pem(cert) }), ...(certKey && { key: pem(certKey) }) }
    this.agent = new this.client.Agent({ keepAlive: true, maxSockets: concurrency, ...tls })
    this.base = `${url.origin}${url.pathname.replace(/(?:\/v1)?\/*$/, '')}/v1`
  }

  /** The first model that the token may use. */
  async firstModel(): Promise<string> {
    const { status, body } = await this.ask('GET', '/models')
    const [model] = (body as { data?: { id?: unknown }[] } | null)?.data ?? []
    if (status === 200 && typeof model?.id === 'string') return model.id
    throw new CommandFailure(`--target: ${this.base}/models answers ${status}: ${errorOf(body) ?? 'no models'}`)
  }

  /** Sends probes, some at a time. Outcomes stand in the order of the probes. */
  async tryAll(probes: readonly Probe[], model: string, progress: () => void): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    let next = 0
    const lane = async () => {
      for (;;) {
        const index = next++
        const probe = probes[index]
        if (!probe) return
        outcomes[index] = await this.tryProbe(probe, model)
        progress()
      }
    }
    await Promise.all(Array.from({ length: this.options.concurrency }, lane))
    return outcomes
  }

  close(): void {
    this.agent.destroy()
  }

  private async tryProbe(probe: Probe, model: string): Promise<Outcome> {
    try {
      for (let attempt = 1; ; attempt++) {
        const answer = await this.ask('POST', '/chat/completions', requestOf(probe, model))
        const wait = Math.min(answer.retryAfterMs, MAX_WAIT_MS)
        const isBusy = answer.status === 429 || answer.status === 503
        if (!isBusy || attempt === MAX_ATTEMPTS || performance.now() + wait > this.options.deadline) {
          return outcomeOf(probe, answer)
        }
        await new Promise(resolve => setTimeout(resolve, wait))
      }
    } catch (error) {
      return { kind: 'failed', reason: reasonOf(error) }
    }
  }

  private ask(method: string, path: string, body?: object): Promise<Answer> {
    const { token, timeoutMs, deadline } = this.options
    const left = Math.min(timeoutMs, deadline - performance.now())
    if (left <= 0) return Promise.reject(new Error('the time for the whole run is over'))
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json' }),
    }
    const signal = AbortSignal.timeout(Math.ceil(left))
    const request = this.client.request(
      `${this.base}${path}`,
      { method, headers, agent: this.agent, signal },
      response => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error('the answer is too long'))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const retryAfterMs = Number(response.headers['retry-after'] ?? 1) * 1000
          resolve({ status: response.statusCode ?? 0, retryAfterMs: retryAfterMs || 1000, body: parsed(text) })
        })
      },
    )
    request.on('error', reject)
    request.end(body && JSON.stringify(body))
    return promise
  }
}

function outcomeOf(probe: Probe, { status, body }: Answer): Outcome {
  const code = errorOf(body)
  if (status === 400 && code?.startsWith('guard_')) return { kind: 'blocked', code }
  if (status !== 200) return { kind: 'failed', reason: `status ${status}${code === undefined ? '' : `, ${code}`}` }
  if (probe.on === 'input') return { kind: 'passed', text: probe.text }
  const choice = (body as { choices?: { finish_reason?: unknown; message?: { content?: unknown } }[] } | null)
    ?.choices?.[0]
  if (choice?.finish_reason === 'content_filter') return { kind: 'blocked', code: 'content_filter' }
  const text = choice?.message?.content
  return typeof text === 'string' && text.includes(echoMark(probe.id)) ? { kind: 'passed', text } : { kind: 'untried' }
}

function errorOf(body: unknown): string | undefined {
  const code = (body as { error?: { code?: unknown } } | null)?.error?.code
  return typeof code === 'string' ? code : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function pem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CommandFailure(`${path} cannot be read: ${reasonOf(error)}`)
  }
}

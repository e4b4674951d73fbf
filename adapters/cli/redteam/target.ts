import type { Outcome } from '../../../src/redteam/score.ts'
import { echoMark, type Probe, requestOf } from '../../../src/redteam/suite.ts'
import { reasonOf } from '../../node/error-code.ts'
import { CommandFailure } from '../failure.ts'
import { type Answer, GatewayClient, type GatewayClientOptions } from '../gateway-client.ts'

const MAX_ANSWER_BYTES = 1024 * 1024
const MAX_ATTEMPTS = 3
const MAX_WAIT_MS = 60_000

export interface TargetOptions extends Omit<GatewayClientOptions, 'maxAnswerBytes'> {
  /** When all has to be done, by `performance.now()`. */
  readonly deadline: number
}

/** A gateway that probes are sent to. */
export class Target {
  private readonly options: TargetOptions
  private readonly client: GatewayClient
  private readonly base: string

  /** @param options with the gateway's `url`, with or without `/v1` */
  constructor(options: TargetOptions) {
    this.options = options
    this.client = new GatewayClient({ ...options, maxAnswerBytes: MAX_ANSWER_BYTES })
    this.base = `${options.url.pathname.replace(/(?:\/v1)?\/*$/, '')}/v1`
  }

  /** The first model that the token may use. */
  async firstModel(): Promise<string> {
    const { status, body } = await this.ask('GET', '/models')
    const [model] = (body as { data?: { id?: unknown }[] } | null)?.data ?? []
    if (status === 200 && typeof model?.id === 'string') return model.id
    throw new CommandFailure(
      `--target: ${this.options.url.origin}${this.base}/models answers ${status}: ${errorOf(body) ?? 'no models'}`,
    )
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
    await Promise.all(Array.from({ length: this.options.connections }, lane))
    return outcomes
  }

  close(): void {
    this.client.close()
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
    const left = this.options.deadline - performance.now()
    if (left <= 0) return Promise.reject(new Error('the time for the whole run is over'))
    return this.client.ask(method, `${this.base}${path}`, body, left)
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

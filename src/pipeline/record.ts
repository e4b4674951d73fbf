import type { Outcome } from '../audit/record.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

/** What is known about a request only when it is over. */
export interface Ending {
  readonly status: number
  readonly outcome: Outcome
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly tokenSource?: 'upstream' | 'estimate'
  readonly outputSnippet?: string
  readonly action?: string
  readonly target?: string | undefined
}

/**
 * Writes the request's record. Resolves to whether the caller may have the end of the answer: when the record is safe on
 * disk, or when policy says to serve without. Never rejects.
 */
export async function record(exchange: Exchange, services: Services, ending: Ending): Promise<boolean> {
  services.running.remove(exchange)
  const { principal, startedAt } = exchange
  const { clock, totals } = services
  const model = knownModel(exchange, services)
  if (totals && principal && model !== undefined) {
    totals.add(principal, model, ending.outcome === 'refused', ending.inputTokens, ending.outputTokens)
  }
  try {
    await services.audit.append({
      time: exchange.receivedAt,
      requestId: exchange.requestId,
      tokenId: principal?.tokenId ?? exchange.refusedTokenId,
      subject: principal?.subject,
      team: principal?.team,
      app: principal?.app,
      env: principal?.env,
      clientCert: exchange.certificate,
      method: exchange.method,
      route: exchange.endpoint.path,
      model,
      upstream: exchange.upstream,
      errorCode: exchange.errorCode,
      reason: exchange.reason,
      latencyMs: clock.monotonic() - startedAt,
      firstByteMs: exchange.firstByteAt === undefined ? undefined : exchange.firstByteAt - startedAt,
      queueMs: exchange.queuedMs,
      stream: exchange.body?.stream ?? false,
      promptHmac: exchange.promptHmac,
      hmacKeyId: exchange.promptHmac === undefined ? undefined : services.hmac.keyId,
      guard: exchange.findings,
      ...ending,
    })
    return true
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown'
    services.telemetry.log('error', 'audit_record_lost', { requestId: exchange.requestId, reason })
    return services.config.audit.onFailure === 'serve'
  }
}

/** The model that was asked for, if there is one of this name: what callers make up is not written into the log. */
function knownModel({ model, body }: Exchange, { config }: Services): string | undefined {
  return model?.id ?? config.models.find(({ id }) => id === body?.model)?.id
}

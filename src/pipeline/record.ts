import type { Ending } from './ending.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'
import { endTrace } from './trace-request.ts'

/** What stands for the status in a record of the outcome `begun`: there is none yet. */
export const PROCESSING = 102

/**
 * Writes the record of a request's end, or of its beginning (`begun`), which the former then names. Resolves to whether
 * the request may go on, to the end of its answer or to others: when the record is safe on disk, or when policy says to
 * serve without. Never rejects. `maxWaitMs`: nobody waits for this one, which may wait so long for others.
 */
export async function record(exchange: Exchange, services: Services, ending: Ending, maxWaitMs = 0): Promise<boolean> {
  const isEnd = ending.outcome !== 'begun'
  if (isEnd) services.running.remove(exchange)
  else exchange.intent = { seq: undefined }
  const { principal, startedAt } = exchange
  const { clock, totals } = services
  const model = knownModel(exchange, services)
  if (isEnd && totals && principal && model !== undefined) {
    totals.add(principal, model, ending.outcome === 'refused', ending.inputTokens, ending.outputTokens)
  }
  try {
    const tookMs = clock.monotonic() - startedAt
    if (isEnd) services.meter.ended(exchange, model ?? '', ending, tookMs)
    const entry = {
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
      latencyMs: tookMs,
      firstByteMs: exchange.firstByteAt === undefined ? undefined : exchange.firstByteAt - startedAt,
      queueMs: exchange.queuedMs,
      stream: exchange.body?.stream ?? false,
      promptHmac: exchange.promptHmac,
      hmacKeyId: exchange.promptHmac === undefined ? undefined : services.hmac.keyId,
      guard: exchange.findings,
      ...ending,
    }
    const appended = services.audit.append(entry, exchange.intent, maxWaitMs)
    await (isEnd && exchange.trace ? exchange.trace.during('record', appended) : appended)
    return true
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown'
    services.telemetry.log('error', 'audit_record_lost', { requestId: exchange.requestId, reason })
    return services.config.audit.onFailure === 'serve'
  } finally {
    if (isEnd) endTrace(exchange, model, ending)
  }
}

/** The model that was asked for, if there is one of this name: what callers make up is not written into the log. */
function knownModel({ model, body }: Exchange, { config }: Services): string | undefined {
  return model?.id ?? config.models.find(({ id }) => id === body?.model)?.id
}

import { INTENT_WAIT_MS } from '../config/limits.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Exchange } from './exchange.ts'
import { PROCESSING, record } from './record.ts'
import type { Services } from './services.ts'

/**
 * Records that a request is about to reach others, so that one of whose end there is no record shows as interrupted. With
 * `audit.intent: durable` nothing is sent before that record is safe on disk; else it is there within milliseconds, while the
 * request goes on.
 */
export function announce(exchange: Exchange, services: Services): Promise<Refusal | undefined> | undefined {
  const { intent } = services.config.audit
  // Once is enough: a prompt that is counted by a model server was announced before.
  if (intent === 'off' || exchange.intent) return undefined
  const begun = { status: PROCESSING, outcome: 'begun' } as const
  if (intent === 'written') {
    void record(exchange, services, begun, INTENT_WAIT_MS)
    return undefined
  }
  return record(exchange, services, begun).then(isRecorded => (isRecorded ? undefined : { code: 'audit_unavailable' }))
}

import { matchName, OTHERS } from '../audit/retention.ts'
import { formatQuantity } from '../config/units.ts'
import type { Evaluate } from './evaluate.ts'
import type { AuditFacts, ForwardingFacts } from './facts.ts'

/** What a served request's record has to have. */
const FIELDS = ['time', 'tokenId', 'model', 'inputTokens', 'latencyMs', 'status'] as const

/** Rows 14 to 19. */
export const auditEvidence: readonly Evaluate[] = [
  onRecords(({ newest }) => {
    const served = servedOf(newest)
    if (served.length === 0)
      return { met: false, evidence: 'The newest records have no served request of a model: nothing to see yet' }
    const missing = FIELDS.filter(field => served.some(record => record[field] === undefined))
    if (missing.length > 0) return { met: false, evidence: `Records of served requests lack ${missing.join(', ')}` }
    return {
      met: true,
      evidence: `All ${served.length} served among the newest ${newest.length} records have ${FIELDS.join(', ')}`,
    }
  }),
  onRecords(({ newest, hmacKeyId }) => {
    const served = servedOf(newest)
    if (served.some(({ promptHmac }) => typeof promptHmac !== 'string'))
      return { met: false, evidence: 'Records of served requests lack promptHmac' }
    if (newest.some(record => 'prompt' in record || 'messages' in record))
      return { met: false, evidence: 'Records hold raw prompts' }
    if (served.length === 0)
      return { met: false, evidence: 'The newest records have no served request of a model: nothing to see yet' }
    const now = served.filter(record => record['hmacKeyId'] === hmacKeyId).length
    return {
      met: true,
      evidence: `All ${served.length} served have an HMAC-SHA-256 of the prompt and no prompt; ${now} of the secret in force (${hmacKeyId})`,
    }
  }),
  onRecords(({ newest, leakingSnippets }) => {
    const snippets = newest.filter(({ outputSnippet }) => typeof outputSnippet === 'string').length
    if (leakingSnippets > 0)
      return { met: false, evidence: `${leakingSnippets} of ${snippets} snippets hold what the rules find` }
    return {
      met: true,
      evidence: `The rules find nothing in the ${snippets} snippets of the newest ${newest.length} records`,
    }
  }),
  ({ forwarding }) => {
    if (!forwarding.ok) return { met: false, evidence: forwarding.reason }
    const places = forwarding.value
    if (places.length === 0) return { met: false, evidence: 'Not configured (audit.forward)' }
    const isLate = places.some(({ fault, lagMs, warnAfterMs }) => fault !== undefined || lagMs >= warnAfterMs)
    return { met: !isLate, evidence: places.map(deliveryOf).join('; ') }
  },
  ({ config: { audit } }) => {
    if (audit.retention === undefined) return { met: false, evidence: 'Not configured (audit.retention)' }
    const { rules, keepMs } = audit.retention.policy
    const days = (ms: number) => formatQuantity('duration', ms)
    const named = rules.map(({ match, keepMs: ms }) => `${matchName(match)} for ${days(ms)}`)
    return {
      met: true,
      evidence: `Kept: ${[...named, `${OTHERS} ${keepMs === undefined ? 'for ever' : `for ${days(keepMs)}`}`].join(', ')}`,
    }
  },
  facts => {
    if (!facts.audit.ok) return { met: false, evidence: facts.audit.reason }
    const { file, records, bad } = facts.audit.value
    if (bad !== undefined) return { met: false, evidence: `The chain of ${file} is broken: ${bad}` }
    const signed = facts.config.audit.checkpoint === undefined ? 'no signed checkpoints' : 'signed checkpoints'
    return { met: true, evidence: `The chain of ${file} is whole: ${records} records; ${signed}` }
  },
]

function deliveryOf({ name, kind, lagRecords, lagMs, fault }: ForwardingFacts): string {
  const what = name === kind ? kind : `${name} (${kind})`
  if (fault !== undefined) return `${what}: ${fault}`
  if (lagRecords === 0) return `${what} has every record`
  return `${what} lacks ${lagRecords} records, the oldest ${Math.round(lagMs / 1000)} s old`
}

function onRecords(evaluate: (audit: AuditFacts) => ReturnType<Evaluate>): Evaluate {
  return ({ audit }) => (audit.ok ? evaluate(audit.value) : { met: false, evidence: audit.reason })
}

function servedOf(records: AuditFacts['newest']) {
  return records.filter(({ outcome, model }) => outcome === 'served' && model !== undefined)
}

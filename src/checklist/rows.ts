export type Priority = 'critical' | 'high' | 'medium'

/** A row of the checklist. */
export interface Row {
  readonly number: number
  readonly area: string
  readonly item: string
  readonly priority: Priority
  /**
   * `never`: the gateway does it or does not, and no word changes that. `instead`: something else may do it, which a person
   * can vouch for. `only`: the gateway cannot know.
   */
  readonly attest: 'never' | 'instead' | 'only'
}

const row = (number: number, area: string, item: string, priority: Priority, attest: Row['attest'] = 'never'): Row => ({
  number,
  area,
  item,
  priority,
  attest,
})

export const ROWS: readonly Row[] = [
  row(1, 'threat model', 'injection vectors, direct and indirect, documented', 'critical', 'only'),
  row(2, 'threat model', 'integrity checksums for model weights', 'critical', 'instead'),
  row(3, 'threat model', 'provenance of fine-tuning data', 'high', 'only'),
  row(4, 'threat model', 'weight storage safeguarding policy', 'critical', 'only'),
  row(5, 'network', 'inference on its own VLAN', 'critical', 'only'),
  row(6, 'network', 'egress denied by default', 'critical', 'only'),
  row(7, 'network', 'mTLS for all inference traffic', 'critical', 'instead'),
  row(8, 'network', 'internal CA certificates issued and rotated', 'high', 'instead'),
  row(9, 'access', 'key authentication for every consumer', 'critical'),
  row(10, 'access', 'keys scoped by team, application, environment', 'high'),
  row(11, 'access', '90-day rotation', 'high'),
  row(12, 'access', 'per-key rate limits', 'high'),
  row(13, 'access', 'consumer and model-admin roles apart', 'critical'),
  row(14, 'audit', 'time, key id, model, tokens, latency, status logged', 'critical'),
  row(15, 'audit', 'prompts as HMAC, not raw', 'critical'),
  row(16, 'audit', 'PII redacted in logged snippets', 'critical'),
  row(17, 'audit', 'forwarded to a SIEM or append-only store', 'high', 'instead'),
  row(18, 'audit', 'retention per framework', 'high', 'instead'),
  row(19, 'audit', 'tamper-proofing by hash chain or WORM', 'medium'),
  row(20, 'guardrails', 'injection checks on input', 'critical', 'instead'),
  row(21, 'guardrails', 'PII checks on input', 'critical', 'instead'),
  row(22, 'guardrails', 'PII checks on output', 'critical', 'instead'),
  row(23, 'guardrails', 'output truncation limits', 'medium'),
  row(24, 'guardrails', 'regular red-team exercises', 'high', 'instead'),
  row(25, 'guardrails', 'guardrail regression tests in CI', 'high', 'only'),
]

import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { type AuditEntry, buildRecord, GENESIS } from '../../../src/audit/record.ts'

/** An entry with every field, to be overridden. */
export function sampleEntry(over: Partial<AuditEntry> = {}): AuditEntry {
  return {
    time: Date.UTC(2026, 10, 23, 10, 30, 0, 7),
    requestId: 'req_1',
    tokenId: 'tok_1',
    subject: 'billing',
    team: 'payments',
    app: 'invoices',
    env: 'production',
    clientCert: { subject: 'CN=billing', thumbprint: 'c'.repeat(43) },
    method: 'POST',
    route: '/v1/chat/completions',
    model: 'llama-3.1-8b',
    upstream: 'http://gpu-1:8080/v1',
    status: 200,
    outcome: 'served',
    inputTokens: 812,
    outputTokens: 164,
    tokenSource: 'upstream',
    latencyMs: 1843.271_828,
    firstByteMs: 120.5,
    queueMs: 80.25,
    stream: true,
    promptHmac: 'a'.repeat(64),
    hmacKeyId: 'b'.repeat(16),
    guard: [{ stage: 'output', rule: 'EMAIL', action: 'redact', count: 1 }],
    outputSnippet: 'Sent to [EMAIL] – „gut“ 🚪',
    ...over,
  }
}

/** The lines of a whole chain, `count` records from `seq` on. */
export function sampleChain(count: number, over: (seq: number) => Partial<AuditEntry> = () => ({})): string[] {
  let prev = GENESIS
  return Array.from({ length: count }, (_, index) => {
    const seq = index + 1
    const { line, hash } = buildRecord(nodeHashing, sampleEntry({ requestId: `req_${seq}`, ...over(seq) }), {
      seq,
      instance: 'test',
      prev,
    })
    prev = hash
    return line
  })
}

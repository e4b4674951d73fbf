import { hmacKey } from '../audit/hmac.ts'
import type { CheckpointDocument, PlaceDocument } from './audit-schema.ts'
import type { Fault } from './fault.ts'
import { forwardFaults, forwardWarnings } from './forward-checks.ts'
import type { ForwardDocument } from './forward-schema.ts'
import { isLoopback } from './loopback.ts'

interface AuditDocument {
  readonly file: string
  readonly intent: 'durable' | 'written' | 'off'
  readonly previousHmacSecrets: readonly string[]
  readonly checkpoint?: CheckpointDocument
  readonly maxFileAge?: number
  readonly retention?: number
  readonly retentionRules: readonly { readonly keep: number }[]
  readonly holds?: string
  readonly forward: readonly ForwardDocument[]
}

/** What the schema cannot see of checkpoints, earlier secrets, retention and destinations. */
export function auditFaults(audit: AuditDocument): Fault[] {
  const { checkpoint, previousHmacSecrets, forward } = audit
  const secrets = previousHmacSecrets.flatMap((secret, index) => {
    const key = hmacKey(secret)
    return key.ok ? [] : [{ path: `audit.previousHmacSecrets[${index}]`, reason: key.reason }]
  })
  return [
    ...secrets,
    ...retentionFaults(audit),
    ...(checkpoint?.to ?? []).flatMap((entry, index) => placeFaults(entry, `audit.checkpoint.to[${index}]`)),
    ...forwardFaults(forward),
  ]
}

/** What is deleted is signed for, by the key of checkpoints. */
function retentionFaults({ checkpoint, retention, retentionRules, holds }: AuditDocument): Fault[] {
  const path = retention === undefined ? 'audit.retentionRules' : 'audit.retention'
  if (retention === undefined && retentionRules.length === 0) {
    return holds === undefined
      ? []
      : [{ path: 'audit.holds', reason: 'holds nothing: everything is kept without audit.retention' }]
  }
  return checkpoint === undefined ? [{ path, reason: 'needs audit.checkpoint: its key signs for what is deleted' }] : []
}

const URL_FORMS = {
  redis: { pattern: /^rediss?(\+(cluster|sentinel))?:\/\//, hint: 'redis:// or rediss://' },
  http: { pattern: /^https?:\/\/[^@]+$/, hint: 'http:// or https://, without credentials' },
}

function placeFaults({ kind, path, url, token }: PlaceDocument, at: string): Fault[] {
  const only = (key: string, isGiven: boolean, kinds: string) =>
    isGiven ? [{ path: `${at}.${key}`, reason: `only goes with kind: ${kinds}` }] : []
  if (kind === 'file') {
    const missing = path === undefined ? [{ path: `${at}.path`, reason: 'is required with kind: file' }] : []
    return [
      ...missing,
      ...only('url', url !== undefined, 'redis and http'),
      ...only('token', token !== undefined, 'http'),
    ]
  }
  const { pattern, hint } = URL_FORMS[kind]
  const isUrl = url !== undefined && pattern.test(url) && (kind === 'redis' || URL.canParse(url))
  const wrong = isUrl ? [] : [{ path: `${at}.url`, reason: `should be a URL that begins with ${hint}` }]
  return [
    ...wrong,
    ...only('path', path !== undefined, 'file'),
    ...only('token', kind === 'redis' && token !== undefined, 'http'),
  ]
}

/** Settings of the log that work and are worth a second thought. */
export function auditWarnings({
  checkpoint,
  file,
  intent,
  maxFileAge,
  retention,
  retentionRules,
  forward,
}: AuditDocument): Fault[] {
  const found: Fault[] = []
  const folder = (path: string) => path.replace(/[^/]*$/, '')
  for (const [index, entry] of (checkpoint?.to ?? []).entries()) {
    const at = `audit.checkpoint.to[${index}]`
    if (entry.kind === 'file' && folder(entry.path ?? '') === folder(file)) {
      found.push({ path: `${at}.path`, reason: 'in the folder of the log: who can rewrite one can rewrite both' })
    }
    if (entry.kind === 'http' && entry.token !== undefined && entry.url?.startsWith('http:')) {
      if (!isLoopback(new URL(entry.url ?? '').hostname))
        found.push({ path: `${at}.token`, reason: 'sent unencrypted (http:)' })
    }
  }
  if (checkpoint !== undefined && checkpoint.to === undefined) {
    found.push({
      path: 'audit.checkpoint.to',
      reason: 'none given: checkpoints stay beside the log, where they prove little',
    })
  }
  const shortest = Math.min(retention ?? Number.POSITIVE_INFINITY, ...retentionRules.map(({ keep }) => keep))
  if (maxFileAge !== undefined && maxFileAge > shortest) {
    const reason = 'longer than records are kept: they are deleted once their file is full, or so old'
    found.push({ path: 'audit.maxFileAge', reason })
  }
  if (intent === 'off') found.push({ path: 'audit.intent', reason: 'requests cut short by a crash leave no trace' })
  return [...found, ...forwardWarnings(forward)]
}

import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { hmacKey, hmacKeyId } from '../../../src/audit/hmac.ts'
import type { AuditFacts, Read } from '../../../src/checklist/facts.ts'
import type { Config } from '../../../src/config/config.ts'
import { createDigest } from '../../../src/guard/digest.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { compilePolicies, type PolicyBook } from '../../../src/pipeline/policy-book.ts'
import { SMALL_BLOCK } from '../../node/audit-lines.ts'
import { errorCode, reasonOf } from '../../node/error-code.ts'
import { nodeHashing } from '../../node/hashing.ts'
import { verifyAuditFiles } from '../../node/verify-audit-files.ts'

const TAIL_BYTES = 256 * 1024
const MAX_NEWEST = 500
/** A gateway that writes may show half a line for a moment. */
const SECOND_LOOK_MS = 300

/**
 * Verifies the current file of the log, and looks into its newest records.
 * @param serving the compiled rules of a gateway that looks at itself: it reads little at once, so that requests get their turn
 */
export async function auditFacts(config: Config, serving?: PolicyBook): Promise<Read<AuditFacts>> {
  const { file, hmacSecret } = config.audit
  const options = serving ? { blockBytes: SMALL_BLOCK } : {}
  try {
    let report = await verifyAuditFiles(nodeHashing, [file], options)
    if (report.bad !== undefined) {
      await sleep(SECOND_LOOK_MS)
      report = await verifyAuditFiles(nodeHashing, [file], options)
    }
    const { bad, verified } = report
    const key = hmacKey(hmacSecret)
    if (!key.ok) return { ok: false, reason: `audit.hmacSecret: ${key.reason}` }
    const newest = await newestRecords(file)
    return {
      ok: true,
      value: {
        file,
        records: verified.records,
        bad: bad && `line ${bad.line}: ${bad.reason}`,
        newest,
        leakingSnippets: leaking(serving ?? rulesOf(config, key.key), newest),
        hmacKeyId: hmacKeyId(nodeHashing, key.key),
      },
    }
  } catch (error) {
    const reason =
      errorCode(error) === 'ENOENT'
        ? 'is not there: nothing has been recorded yet'
        : `cannot be read: ${reasonOf(error)}`
    return { ok: false, reason: `audit.file: ${file} ${reason}` }
  }
}

async function newestRecords(path: string): Promise<Record<string, unknown>[]> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const start = Math.max(0, size - TAIL_BYTES)
  const buffer = Buffer.alloc(size - start)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start)
  const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
  // The first is cut unless the file is short, the last is empty or being written.
  return lines
    .slice(start > 0 ? 1 : 0, -1)
    .slice(-MAX_NEWEST)
    .flatMap(record)
}

/** What is no record is for the chain to tell. */
function record(line: string): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? [value as Record<string, unknown>] : []
  } catch {
    return []
  }
}

function rulesOf({ guard }: Config, secret: Uint8Array): PolicyBook | undefined {
  const compiled = compilePolicies(guard, createDigest(nodeHashing, secret))
  return compiled.ok ? compiled.book : undefined
}

/** Snippets in which the rules for records find something that is still there. */
function leaking(rules: PolicyBook | undefined, records: readonly Record<string, unknown>[]): number {
  const policy = rules?.policyFor({})
  if (policy === undefined) return 0
  return records.filter(({ outputSnippet }) => {
    if (typeof outputSnippet !== 'string') return false
    return new TextGuard(policy.record ?? policy.output).whole(outputSnippet) !== outputSnippet
  }).length
}

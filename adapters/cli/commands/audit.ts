import type { Command } from 'commander'
import { registerAuditCheckpoint } from './audit-checkpoint.ts'
import { registerAuditForward } from './audit-forward.ts'
import { registerAuditHmac } from './audit-hmac.ts'
import { registerAuditQuery } from './audit-query.ts'
import { registerAuditVerify } from './audit-verify.ts'

/** `sallyport audit`: verify, tail, query, checkpoint, hmac, forward. */
export function registerAudit(program: Command): void {
  const audit = program.command('audit').description('prove, read and sign the audit log')
  registerAuditVerify(audit)
  registerAuditQuery(audit)
  registerAuditCheckpoint(audit)
  registerAuditHmac(audit)
  registerAuditForward(audit)
}

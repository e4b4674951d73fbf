import type { Command } from 'commander'
import { registerAuditCheckpoint } from './audit-checkpoint.ts'
import { registerAuditForward } from './audit-forward.ts'
import { registerAuditHmac } from './audit-hmac.ts'
import { registerAuditHold } from './audit-hold.ts'
import { registerAuditQuery } from './audit-query.ts'
import { registerAuditRetain } from './audit-retain.ts'
import { registerAuditVerify } from './audit-verify.ts'

/** `sallyport audit`: verify, tail, query, checkpoint, retain, hold, hmac, forward. */
export function registerAudit(program: Command): void {
  const audit = program.command('audit').description('prove, read, sign and shorten the audit log')
  registerAuditVerify(audit)
  registerAuditQuery(audit)
  registerAuditCheckpoint(audit)
  registerAuditRetain(audit)
  registerAuditHold(audit)
  registerAuditHmac(audit)
  registerAuditForward(audit)
}

import type { Fault } from './fault.ts'
import type { Document } from './schema.ts'

/** A part of the configuration that this release reads but does not act on. */
export interface NotEnforced extends Fault {
  /** `refuse`: serving without it would be less than what was asked for. `warn`: nothing gets weaker. */
  readonly serve: 'refuse' | 'warn'
}

const REASON = 'not enforced by this release'

/** Everything in the document that this release does not enforce: the one list of it. */
export function notEnforced(document: Document): NotEnforced[] {
  const found: NotEnforced[] = []
  const refuse = (path: string) => found.push({ path, reason: REASON, serve: 'refuse' })

  if (document.audit.retention !== undefined) refuse('audit.retention')
  return found
}

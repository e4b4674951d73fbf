import type { X509Certificate } from 'node:crypto'
import type { Telemetry } from '../../../src/ports/telemetry.ts'
import { endOf } from './trust.ts'

const DAY_MS = 86_400_000
/** Time to renew a certificate by hand. */
const SOON_DAYS = 30
/** Time to do nothing else. */
const URGENT_DAYS = 7
const LIST_DAYS = 2

/** Something in a file that ends. */
export interface Ending {
  readonly what:
    | 'server_certificate'
    | 'client_authority'
    | 'revocation_list'
    /** Ours, shown to a server, and the authorities that its own may be of. */
    | 'client_certificate'
    | 'server_authority'
  readonly file: string
  readonly endsAtMs: number
}

/** Of all certificates of a file. */
export function endingsIn(what: Ending['what'], file: string, certificates: readonly X509Certificate[]): Ending[] {
  return certificates.map(certificate => ({ what, file, endsAtMs: endOf(certificate) }))
}

export interface Due extends Ending {
  readonly urgency: 'soon' | 'urgent' | 'ended'
  /** Whole days left; 0 or less when it has ended. */
  readonly days: number
}

/** What of these ends soon. */
export function dueOf(endings: readonly Ending[], nowMs: number): Due[] {
  return endings.flatMap(ending => {
    const days = Math.floor((ending.endsAtMs - nowMs) / DAY_MS)
    const urgency = urgencyOf(ending, days, nowMs)
    return urgency === undefined ? [] : [{ ...ending, days, urgency }]
  })
}

function urgencyOf({ what, endsAtMs }: Ending, days: number, nowMs: number): Due['urgency'] | undefined {
  if (endsAtMs <= nowMs) return 'ended'
  // Lists live for days or weeks, and end often.
  if (what === 'revocation_list') return days < LIST_DAYS ? 'urgent' : undefined
  if (days < URGENT_DAYS) return 'urgent'
  return days < SOON_DAYS ? 'soon' : undefined
}

/** In words, for people. */
export function describeDue({ what, endsAtMs, days, urgency }: Due): string {
  const date = new Date(endsAtMs).toISOString().slice(0, 10)
  const name = what.replace('_', ' ')
  if (urgency === 'ended') return `the ${name} has expired (${date})`
  return `the ${name} expires in ${days === 1 ? '1 day' : `${days} days`} (${date})`
}

/**
 * Warns of what ends soon.
 * @param upstream the server that they are for, where it is not a listener of ours
 */
export function warnOfDue(endings: readonly Ending[], telemetry: Telemetry, upstream?: string): void {
  const event = upstream === undefined ? 'certificate_expires' : 'upstream_certificate_expires'
  for (const { what, file, days, urgency } of dueOf(endings, Date.now())) {
    telemetry.log(urgency === 'soon' ? 'warn' : 'error', event, { upstream, what, file, days })
    telemetry.count('sallyport_certificate_expiry_warnings_total', { what, urgency })
  }
}

/** Calls now and every day, until what is returned is called. */
export function daily(warn: () => void): () => void {
  warn()
  const timer = setInterval(warn, DAY_MS).unref()
  return () => clearInterval(timer)
}

import type { Telemetry } from '../../../src/ports/telemetry.ts'
import type { Ending } from './tls-files.ts'

const DAY_MS = 86_400_000
/** Time to renew a certificate by hand. */
const SOON_DAYS = 30
/** Time to do nothing else. */
const URGENT_DAYS = 7
const LIST_DAYS = 2

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

/** Warns now and every day of what ends soon; returns what ends that. */
export function warnOfExpiry(endings: () => readonly Ending[], telemetry: Telemetry): () => void {
  const warn = (): void => {
    for (const { what, file, days, urgency } of dueOf(endings(), Date.now())) {
      telemetry.log(urgency === 'soon' ? 'warn' : 'error', 'certificate_expires', { what, file, days })
      telemetry.count('sallyport_certificate_expiry_warnings_total', { what, urgency })
    }
  }
  warn()
  const timer = setInterval(warn, DAY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

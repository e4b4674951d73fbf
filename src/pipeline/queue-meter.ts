import { MAX_TEAM_LABELS } from '../config/limits.ts'
import type { Telemetry } from '../ports/telemetry.ts'

/** How a request's wait ended. */
export type WaitEnd = 'admitted' | 'left' | 'timeout' | 'dismissed' | 'nowhere'

interface Labels {
  readonly team: string
}

/** What teams see of their queues: how many wait, how far behind they come in, how long they wait, and how it ends. */
export class QueueMeter {
  private readonly telemetry: Telemetry
  private readonly teams = new Map<string, Labels>()

  constructor(telemetry: Telemetry) {
    this.telemetry = telemetry
  }

  /** A request has begun to wait behind `ahead` others of its team. */
  entered(team: string, model: string, ahead: number): void {
    const labels = this.labelsOf(team)
    this.telemetry.count('sallyport_queue_depth', labels, 1)
    this.telemetry.count('sallyport_queue_ahead_total', labels, ahead)
    this.telemetry.count('sallyport_model_queue_depth', { model }, 1)
  }

  /** It waits no more. */
  ended(team: string, model: string, end: WaitEnd, waitedMs: number): void {
    const labels = this.labelsOf(team)
    this.telemetry.count('sallyport_queue_depth', labels, -1)
    this.telemetry.count('sallyport_queue_wait_seconds_total', labels, waitedMs / 1000)
    this.telemetry.count('sallyport_queue_ended_total', { ...labels, outcome: end }, 1)
    this.telemetry.count('sallyport_model_queue_depth', { model }, -1)
  }

  /** Teams come from verified tokens, yet nobody bounds how many there are: beyond the first, they are counted together. */
  private labelsOf(team: string): Labels {
    const known = this.teams.get(team)
    if (known) return known
    if (this.teams.size >= MAX_TEAM_LABELS) return OTHERS
    const labels = Object.freeze({ team })
    this.teams.set(team, labels)
    return labels
  }
}

/** No team has this name: it has a character that names do not. */
const OTHERS: Labels = Object.freeze({ team: '(others)' })

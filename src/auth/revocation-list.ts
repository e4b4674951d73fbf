import type { Revocation } from '../ports/token-registry.ts'
import type { Principal } from './principal.ts'

/** Who has a token, as far as revocations are concerned. */
export type TokenOwner = Pick<Principal, 'tokenId' | 'team' | 'app' | 'issuedAtMs'>

interface Team {
  issuedBeforeMs: number
  /** By application of this team. */
  readonly apps: Map<string, number>
}

const NEVER = Number.NEGATIVE_INFINITY

/**
 * Revocations as one question about a token needs them: four look-ups, whatever their number. None is ever taken back;
 * each goes when the last token it could be about has expired.
 */
export class RevocationList {
  /** By their id, until they are over. */
  readonly #known = new Map<string, Revocation>()
  readonly #tokens = new Set<string>()
  readonly #teams = new Map<string, Team>()
  readonly #apps = new Map<string, number>()
  #all = NEVER

  get size(): number {
    return this.#known.size
  }

  isRevoked({ tokenId, team, app, issuedAtMs }: TokenOwner): boolean {
    if (this.#known.size === 0) return false
    if (issuedAtMs <= this.#all || this.#tokens.has(tokenId)) return true
    if (issuedAtMs <= (this.#apps.get(app) ?? NEVER)) return true
    const ofTeam = this.#teams.get(team)
    if (ofTeam === undefined) return false
    return issuedAtMs <= ofTeam.issuedBeforeMs || issuedAtMs <= (ofTeam.apps.get(app) ?? NEVER)
  }

  /** Adds those that are not known yet and not over; returns how many there were. */
  add(revocations: Iterable<Revocation>, nowMs: number): number {
    const before = this.#known.size
    for (const revocation of revocations) {
      if (this.#known.has(revocation.id) || revocation.untilMs <= nowMs) continue
      this.#known.set(revocation.id, revocation)
      this.#enter(revocation)
    }
    return this.#known.size - before
  }

  /** Those that are known and not among `ids`. */
  without(ids: ReadonlySet<string>): Revocation[] {
    return [...this.#known.values()].filter(({ id }) => !ids.has(id))
  }

  /** Forgets what is over. Costs a walk through all. */
  sweep(nowMs: number): void {
    const kept = [...this.#known.values()].filter(({ untilMs }) => untilMs > nowMs)
    if (kept.length === this.#known.size) return
    for (const map of [this.#known, this.#tokens, this.#teams, this.#apps]) map.clear()
    this.#all = NEVER
    this.add(kept, nowMs)
  }

  #enter({ target, issuedBeforeMs }: Revocation): void {
    switch (target.kind) {
      case 'token':
        this.#tokens.add(target.tokenId)
        return
      case 'all':
        this.#all = Math.max(this.#all, issuedBeforeMs)
        return
      case 'team': {
        const team = this.#team(target.team)
        team.issuedBeforeMs = Math.max(team.issuedBeforeMs, issuedBeforeMs)
        return
      }
      case 'app': {
        const apps = target.team === undefined ? this.#apps : this.#team(target.team).apps
        apps.set(target.app, Math.max(apps.get(target.app) ?? NEVER, issuedBeforeMs))
      }
    }
  }

  #team(name: string): Team {
    const known = this.#teams.get(name)
    if (known) return known
    const team = { issuedBeforeMs: NEVER, apps: new Map<string, number>() }
    this.#teams.set(name, team)
    return team
  }
}

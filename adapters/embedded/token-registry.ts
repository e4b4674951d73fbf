import { MAX_REVOCATIONS } from '../../src/config/limits.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { IssuedToken, Revocation, TokenRegistry } from '../../src/ports/token-registry.ts'
import type { Database } from './database.ts'

const RECORD = `
  INSERT INTO issued_token VALUES (:tokenId, :team, :app, :env, :expiresAt, :document)
  ON CONFLICT (token_id) DO UPDATE SET team = :team, app = :app, env = :env, expires_at = :expiresAt, document = :document`
const FORGET_ISSUED = 'DELETE FROM issued_token WHERE expires_at <= :now'
const FIND = 'SELECT document FROM issued_token WHERE token_id = :tokenId AND expires_at > :now'
const LIST = `
  SELECT document FROM issued_token
  WHERE expires_at > :now AND expires_at < ifnull(:expiresBefore, 9e15)
    AND team = ifnull(:team, team) AND app = ifnull(:app, app) AND env = ifnull(:env, env)
  ORDER BY expires_at, token_id LIMIT :limit`
const FORGET_REVOCATIONS = 'DELETE FROM revocation WHERE until <= :now'
const COUNT_OTHERS = 'SELECT count(*) AS others FROM revocation WHERE id <> :id'
const REVOKE = 'INSERT INTO revocation (id, until, document) VALUES (:id, :until, :document) ON CONFLICT DO NOTHING'
/** `newest`: the last number that was given out, also where that revocation is over. */
const HEAD = `
  SELECT epoch, ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'revocation'), 0) AS newest FROM store`
const READ = 'SELECT seq, document FROM revocation WHERE seq > :after ORDER BY seq'

/**
 * The registry in the embedded store. Other processes may have the same file open: they hear of a revocation when they
 * read next, this one at once. `close` leaves the database open: others use it too.
 */
export function createEmbeddedTokenRegistry(database: Database, clock: Clock): TokenRegistry {
  const watchers = new Set<() => void>()
  return {
    async record(token) {
      const { tokenId, team, app, env, expiresAtMs } = token
      const document = JSON.stringify(token)
      database.transaction(() => {
        database.run(FORGET_ISSUED, { now: clock.now() })
        database.run(RECORD, { tokenId, team, app, env, expiresAt: expiresAtMs, document })
      })
    },

    async find(tokenId) {
      const [row] = database.all(FIND, { tokenId, now: clock.now() })
      return row && (JSON.parse(String(row['document'])) as IssuedToken)
    },

    async list({ team = null, app = null, env = null, expiresBeforeMs = null }, limit) {
      const rows = database.all(LIST, { team, app, env, expiresBefore: expiresBeforeMs, now: clock.now(), limit })
      return rows.map(({ document }) => JSON.parse(String(document)) as IssuedToken)
    },

    async revoke(revocation) {
      const { id, untilMs, target } = revocation
      const document = JSON.stringify(revocation)
      const result = database.transaction(() => {
        database.run(FORGET_REVOCATIONS, { now: clock.now() })
        const [row] = database.all(COUNT_OTHERS, { id })
        if (target.kind === 'token' && Number(row?.['others']) >= MAX_REVOCATIONS) return 'full'
        database.run(REVOKE, { id, until: untilMs, document })
        return 'done'
      })
      for (const changed of watchers) changed()
      return result
    },

    async revocations(after) {
      database.reopenIfReplaced()
      const [head] = database.all(HEAD)
      const [epoch, newest] = [String(head?.['epoch']), Number(head?.['newest'])]
      const [knownEpoch, knownSeq] = after?.split(':') ?? []
      // A number that was not given out yet is of a file that an older copy has taken the place of.
      const complete = knownEpoch !== epoch || Number(knownSeq) > newest
      const rows = database.all(READ, { after: complete ? 0 : Number(knownSeq) })
      const last = Math.max(newest, Number(rows.at(-1)?.['seq'] ?? 0))
      return {
        revocations: rows.map(({ document }) => JSON.parse(String(document)) as Revocation),
        cursor: `${epoch}:${last}`,
        complete,
      }
    },

    watch(changed) {
      watchers.add(changed)
      return () => void watchers.delete(changed)
    },

    async close() {
      watchers.clear()
    },
  }
}

import { MAX_REVOCATIONS } from '../../src/config/limits.ts'
import { StoreUnavailableError } from '../../src/ports/state-store.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import type { IssuedToken, IssuedTokenFilter, Revocation, TokenRegistry } from '../../src/ports/token-registry.ts'
import type { RedisClient } from './client.ts'
import { utf8Word, word } from './protocol.ts'
import { SCHEMA_VERSION, type Script } from './scripts.ts'
import { FIND, LIST, READ, RECORD, REVOKE } from './token-scripts.ts'
import { watchChannel } from './watch-channel.ts'

/** Documents in one answer of Redis: some hundred kilobytes, which hold it up for a millisecond. */
const PAGE = 1000
/** No store answers for ever: pages of all revocations and of the longest list are far fewer. */
const MAX_PAGES = 1000

/** The registry in Redis, on a connection that others use too; watching takes one more. `close` ends that one alone. */
export function createRedisTokenRegistry(
  client: RedisClient,
  { prefix = 'sallyport', telemetry }: { readonly prefix?: string; readonly telemetry?: Telemetry } = {},
): TokenRegistry {
  // One hash tag: Redis Cluster keeps what a script changes together in one slot.
  const base = `${prefix}:${SCHEMA_VERSION}:{tokens}`
  const issued = [`${base}:issued:ends`, `${base}:issued:documents`]
  const [ends, documents, log, head] = ['ends', 'documents', 'log', 'head'].map(
    part => `${base}:revocations:${part}`,
  ) as [string, string, string, string]
  const channel = `${base}:revoked`
  const ending = new Set<() => void>()

  const call = (script: Script, keys: readonly string[], values: readonly (string | number)[]) =>
    client.evaluate(script, {
      key: keys[0] ?? base,
      words: 1 + keys.length + values.length,
      text: word(keys.length) + [...keys, ...values].map(value => utf8Word(String(value))).join(''),
    })

  return {
    async record(token) {
      await call(RECORD, issued, [token.tokenId, JSON.stringify(token), token.expiresAtMs])
    },

    async find(tokenId) {
      const document = await call(FIND, issued, [tokenId])
      return document === null ? undefined : parsed<IssuedToken>(document as Buffer)
    },

    async list(filter, limit) {
      const before = filter.expiresBeforeMs === undefined ? '+inf' : `(${filter.expiresBeforeMs}`
      const found: IssuedToken[] = []
      for (let page = 0; page < MAX_PAGES && found.length < limit; page++) {
        const reply = (await call(LIST, issued, [before, page * PAGE, PAGE])) as (Buffer | null)[]
        for (const document of reply) {
          const token = document === null ? undefined : parsed<IssuedToken>(document)
          if (token && fits(token, filter)) found.push(token)
        }
        if (reply.length < PAGE) break
      }
      return found.slice(0, limit)
    },

    async revoke(revocation) {
      const most = revocation.target.kind === 'token' ? MAX_REVOCATIONS : 0
      const values = [revocation.id, JSON.stringify(revocation), revocation.untilMs, most, crypto.randomUUID(), channel]
      return (await call(REVOKE, [ends, documents, log, head], values)) === 1 ? 'done' : 'full'
    },

    async revocations(after = '') {
      const revocations: Revocation[] = []
      let [epoch = '', seq = '0'] = after === '' ? ['none'] : after.split(':')
      let complete = false
      for (let page = 0; page < MAX_PAGES; page++) {
        const reply = await call(READ, [documents, log, head], [epoch, seq, PAGE])
        const [newEpoch, last, more, anew, found] = reply as [Buffer, number, number, number, (Buffer | null)[]]
        if (page > 0 && anew === 1) throw new StoreUnavailableError('Redis was emptied while it was read')
        complete ||= anew === 1
        for (const document of found) if (document !== null) revocations.push(parsed<Revocation>(document))
        ;[epoch, seq] = [String(newEpoch), String(last)]
        if (more === 0) return { revocations, cursor: `${epoch}:${seq}`, complete }
      }
      throw new StoreUnavailableError('Redis has more revocations than there may be')
    },

    watch(changed) {
      const end = watchChannel(client.redis, channel, changed, telemetry)
      ending.add(end)
      return () => {
        ending.delete(end)
        end()
      }
    },

    async close() {
      for (const end of ending) end()
      ending.clear()
    },
  }
}

/** What was kept as JSON; texts come as bytes. */
function parsed<T>(document: Buffer): T {
  return JSON.parse(document.toString()) as T
}

function fits(token: IssuedToken, { team, app, env }: IssuedTokenFilter): boolean {
  return (
    (team === undefined || token.team === team) &&
    (app === undefined || token.app === app) &&
    (env === undefined || token.env === env)
  )
}

import { deepStrictEqual as equal } from 'node:assert/strict'
import { createRevocation } from '../../src/auth/revocation.ts'
import type { IssuedToken, RevocationTarget, TokenRegistry } from '../../src/ports/token-registry.ts'
import { type Check, sleep, until } from './check.ts'

/** A registry as two instances of the gateway see it. */
export interface RegistryUnderTest {
  readonly registries: readonly [TokenRegistry, TokenRegistry]
  /** Throws away all that is stored, as an administrator could. */
  empty(): Promise<void>
  stop(): Promise<void>
}

const DAY_MS = 86_400_000

/** What every token registry must do. `start` begins an empty one. */
export function tokenRegistryChecks(start: () => Promise<RegistryUnderTest>): Check[] {
  const check = (name: string, run: (state: RegistryUnderTest) => Promise<void>): Check => ({
    name,
    async run() {
      const state = await start()
      try {
        await run(state)
      } finally {
        await state.stop()
      }
    },
  })
  return [
    check('an issued token is found again by every instance, with all that was recorded', async ({ registries }) => {
      const [one, other] = registries
      const token = issued('t-1', { models: ['a*', 'b'], certThumbprint: 'thumb', subject: 'ü 🙂 "quoted"' })
      await one.record(token)
      equal(await other.find('t-1'), token)
      equal(await other.list({}, 10), [token])
      equal(await other.find('t-2'), undefined)
    }),

    check('recording a token again replaces it', async ({ registries: [one] }) => {
      await one.record(issued('t-1'))
      await one.record(issued('t-1', { team: 'red' }))
      equal(
        (await one.list({}, 10)).map(({ team }) => team),
        ['red'],
      )
      equal(await one.list({ team: 'blue' }, 10), [])
    }),

    check('lists by expiry, and only what was asked for', async ({ registries: [one, other] }) => {
      const now = Date.now()
      for (const [id, days, rest] of [
        ['later', 9, {}],
        ['sooner', 2, {}],
        ['red', 1, { team: 'red' }],
        ['batch', 3, { app: 'batch', env: 'staging' }],
      ] as const)
        await one.record(issued(id, { expiresAtMs: now + days * DAY_MS, ...rest }))
      const ids = async (...query: Parameters<TokenRegistry['list']>) =>
        (await other.list(...query)).map(({ tokenId }) => tokenId)
      equal(await ids({}, 10), ['red', 'sooner', 'batch', 'later'])
      equal(await ids({}, 2), ['red', 'sooner'])
      equal(await ids({ team: 'blue' }, 10), ['sooner', 'batch', 'later'])
      equal(await ids({ team: 'blue' }, 1), ['sooner'])
      equal(await ids({ app: 'batch' }, 10), ['batch'])
      equal(await ids({ env: 'staging', team: 'red' }, 10), [])
      equal(await ids({ expiresBeforeMs: now + 2 * DAY_MS + 1 }, 10), ['red', 'sooner'])
    }),

    check('more tokens than fit in one answer of the store are all listed', async ({ registries: [one, other] }) => {
      const now = Date.now()
      for (let at = 0; at < 1203; at++) await one.record(issued(`t-${at}`, { expiresAtMs: now + DAY_MS + at }))
      await one.record(issued('last', { expiresAtMs: now + 2 * DAY_MS, team: 'red' }))
      equal((await other.list({}, 5000)).length, 1204)
      equal(
        (await other.list({ team: 'red' }, 5)).map(({ tokenId }) => tokenId),
        ['last'],
      )
    }),

    check('expired tokens are forgotten', async ({ registries: [one, other] }) => {
      await one.record(issued('short', { expiresAtMs: Date.now() + 150 }))
      await one.record(issued('long'))
      await sleep(200)
      equal(await other.find('short'), undefined)
      equal(
        (await other.list({}, 10)).map(({ tokenId }) => tokenId),
        ['long'],
      )
    }),

    check('a revocation is read by every instance, as it was made, once', async ({ registries: [one, other] }) => {
      const before = await other.revocations()
      equal([before.revocations.length, before.complete], [0, true])
      const targets: RevocationTarget[] = [
        { kind: 'token', tokenId: 't-1' },
        { kind: 'app', app: 'batch' },
        { kind: 'app', app: 'batch', team: 'blue' },
        { kind: 'team', team: 'blue' },
        { kind: 'all' },
      ]
      const made = targets.map(target => revocation(target, { reason: 'ü "leaked"' }))
      for (const each of made) equal(await one.revoke(each), 'done')
      const after = await other.revocations(before.cursor)
      equal(after.revocations, made)
      const nothing = await other.revocations(after.cursor)
      equal([nothing.revocations, nothing.complete], [[], false])
      const late = revocation({ kind: 'token', tokenId: 't-9' })
      await other.revoke(late)
      equal((await one.revocations(after.cursor)).revocations, [late])
      const all = await one.revocations()
      equal([all.revocations, all.complete], [[...made, late], true])
    }),

    check('repeating a revocation changes nothing', async ({ registries: [one, other] }) => {
      const made = revocation({ kind: 'team', team: 'blue' })
      await one.revoke(made)
      const { cursor } = await other.revocations()
      equal(await other.revoke(made), 'done')
      equal((await other.revocations(cursor)).revocations, [])
      equal((await one.revocations()).revocations, [made])
    }),

    check('a revocation that is over is forgotten', async ({ registries: [one, other] }) => {
      await one.revoke({ ...revocation({ kind: 'token', tokenId: 'gone' }), untilMs: Date.now() + 100 })
      await sleep(1200)
      const kept = revocation({ kind: 'token', tokenId: 'kept' })
      await one.revoke(kept)
      equal((await other.revocations()).revocations, [kept])
    }),

    check('thousands of revocations are read whole', async ({ registries: [one, other] }) => {
      const { cursor } = await other.revocations()
      for (let at = 0; at < 2105; at++) await one.revoke(revocation({ kind: 'token', tokenId: `t-${at}` }))
      const { revocations } = await other.revocations(cursor)
      equal(revocations.length, 2105)
      equal(new Set(revocations.map(({ id }) => id)).size, 2105)
    }),

    check('revocations of two instances at the same time are all read', async ({ registries }) => {
      const { cursor } = await registries[0].revocations()
      const made = Array.from({ length: 200 }, (_, at) => revocation({ kind: 'token', tokenId: `t-${at}` }))
      await Promise.all(made.map((each, at) => (registries[at % 2] ?? registries[0]).revoke(each)))
      const { revocations } = await registries[1].revocations(cursor)
      equal(new Set(revocations.map(({ id }) => id)), new Set(made.map(({ id }) => id)))
    }),

    check('an emptied store says that it has begun anew', async ({ registries: [one, other], empty }) => {
      const made = revocation({ kind: 'all' })
      await one.revoke(made)
      const known = await other.revocations()
      await empty()
      const after = await other.revocations(known.cursor)
      equal([after.complete, after.revocations], [true, []])
      await one.revocations()
      await one.revoke(made)
      const again = await other.revocations(known.cursor)
      equal([again.complete, again.revocations], [true, [made]])
      equal((await other.revocations(again.cursor)).complete, false)
    }),

    check('who watches hears of its own revocations at once, until it ends that', async ({ registries: [one] }) => {
      let heard = 0
      const end = one.watch(() => heard++)
      await sleep(100)
      const before = heard
      await one.revoke(revocation({ kind: 'all' }))
      await until('a call back', () => heard > before, 1000)
      end()
      const last = heard
      await one.revoke(revocation({ kind: 'all' }))
      await sleep(100)
      equal(heard, last)
    }),
  ]
}

let lastMs = 0

/** No two at the same moment, so that they differ in more than chance. */
export function revocation(target: RevocationTarget, rest: { readonly reason?: string } = {}) {
  lastMs = Math.max(lastMs + 1, Date.now())
  return createRevocation({ target, nowMs: lastMs, by: 'tests', ...rest })
}

export function issued(tokenId: string, rest: Partial<IssuedToken> = {}): IssuedToken {
  const now = Date.now()
  return {
    tokenId,
    subject: 'blue/tests/test',
    team: 'blue',
    app: 'tests',
    env: 'test',
    scopes: ['inference'],
    models: ['*'],
    issuedAtMs: now,
    expiresAtMs: now + DAY_MS,
    keyId: 'key-1',
    ...rest,
  }
}

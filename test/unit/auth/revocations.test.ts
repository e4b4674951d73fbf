import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRevocation } from '../../../src/auth/revocation.ts'
import { Revocations } from '../../../src/auth/revocations.ts'
import { StoreUnavailableError } from '../../../src/ports/state-store.ts'
import type { Revocation, RevocationsRead, TokenRegistry } from '../../../src/ports/token-registry.ts'

const START_MS = 1_790_000_000_000
const owner = { tokenId: 't-1', team: 'blue', app: 'web', issuedAtMs: START_MS - 5000 }

let made: Revocations | undefined
beforeEach(() => void vi.useFakeTimers({ now: START_MS }))
afterEach(() => {
  made?.close()
  vi.useRealTimers()
})

/** A registry in memory that can be away, slow, or emptied. */
function setUp(onFailure: 'deny' | 'serve' = 'deny') {
  const log: string[] = []
  const state = { stored: [] as Revocation[], epoch: 1, away: false, reads: 0, changes: 0, notify: () => {} }
  let block: Promise<void> | undefined
  const registry = {
    async revocations(after?: string): Promise<RevocationsRead> {
      state.reads++
      await block
      if (state.away) throw new StoreUnavailableError('away')
      const [epoch, seq] = after?.split(':').map(Number) ?? []
      const complete = epoch !== state.epoch
      return {
        revocations: state.stored.slice(complete ? 0 : seq),
        cursor: `${state.epoch}:${state.stored.length}`,
        complete,
      }
    },
    async revoke(revocation: Revocation) {
      if (state.away) throw new StoreUnavailableError('away')
      if (!state.stored.some(({ id }) => id === revocation.id)) state.stored.push(revocation)
      return 'done' as const
    },
    watch(changed: () => void) {
      state.notify = changed
      return () => void (state.notify = () => {})
    },
  } as unknown as TokenRegistry
  const revocations = new Revocations({
    registry,
    clock: { now: () => Date.now(), monotonic: () => Date.now() - START_MS },
    telemetry: { log: (_, event) => void log.push(event), count: () => {} },
    maxAgeMs: 3000,
    onFailure,
    changed: () => void state.changes++,
  })
  made = revocations
  const revoke = (id = 't-1') =>
    registry.revoke(createRevocation({ target: { kind: 'token', tokenId: id }, nowMs: Date.now(), by: 'x' }))
  return { revocations, registry, state, log, revoke, block: (until: Promise<void>) => void (block = until) }
}

test('looks twice a second, and at once when it is told', async () => {
  const { revocations, revoke, state } = setUp()
  await revocations.start()
  expect(revocations.standing(owner)).toBe('good')
  await revoke()
  expect(revocations.standing(owner)).toBe('good')
  await vi.advanceTimersByTimeAsync(500)
  expect([revocations.standing(owner), state.changes]).toEqual(['revoked', 1])
  await revoke('t-2')
  state.notify()
  await vi.advanceTimersByTimeAsync(0)
  expect(revocations.standing({ ...owner, tokenId: 't-2' })).toBe('revoked')
})

test('what is told while it reads is read afterwards', async () => {
  const { revocations, revoke, state, block } = setUp()
  const gate = Promise.withResolvers<void>()
  block(gate.promise)
  const started = revocations.start()
  state.notify()
  state.notify()
  await revoke()
  gate.resolve()
  await started
  expect([state.reads, revocations.standing(owner)]).toEqual([2, 'revoked'])
})

test.each(['deny', 'serve'] as const)('away: what is known counts for its time, then it is %s', async onFailure => {
  const { revocations, revoke, state, log } = setUp(onFailure)
  await revoke('t-2')
  await revocations.start()
  state.away = true
  await vi.advanceTimersByTimeAsync(2900)
  expect([revocations.fresh, revocations.standing(owner)]).toEqual([true, 'good'])
  await vi.advanceTimersByTimeAsync(1000)
  expect([revocations.fresh, revocations.standing(owner)]).toEqual([false, onFailure === 'deny' ? 'unknown' : 'good'])
  expect(revocations.standing({ ...owner, tokenId: 't-2' })).toBe('revoked')
  expect(log).toEqual(['revocations_unread', 'revocations_too_old'])
  await revoke().catch(() => {})
  state.away = false
  await revoke()
  await vi.advanceTimersByTimeAsync(500)
  expect([revocations.fresh, revocations.standing(owner)]).toEqual([true, 'revoked'])
  expect(log.at(-1)).toBe('revocations_read_again')
})

test('away at the start: nothing is good until it was read once', async () => {
  const { revocations, state } = setUp()
  state.away = true
  await revocations.start()
  expect([revocations.fresh, revocations.standing(owner)]).toEqual([false, 'unknown'])
  state.away = false
  await vi.advanceTimersByTimeAsync(500)
  expect([revocations.fresh, revocations.standing(owner)]).toEqual([true, 'good'])
})

test('emptied: nothing is forgotten, and what is missing is written back, also where that fails at first', async () => {
  const { revocations, registry, revoke, state, log } = setUp()
  await revoke()
  await revoke('t-2')
  await revocations.start()
  const before = [...state.stored]
  state.stored = []
  state.epoch = 2
  const { revoke: write } = registry
  registry.revoke = () => Promise.reject(new StoreUnavailableError('read only'))
  await vi.advanceTimersByTimeAsync(500)
  expect([revocations.standing(owner), state.stored]).toEqual(['revoked', []])
  registry.revoke = write
  await vi.advanceTimersByTimeAsync(500)
  expect(state.stored).toEqual(before)
  expect(log).toContain('revocations_written_back')
  const { length } = log
  await vi.advanceTimersByTimeAsync(2000)
  expect(log).toHaveLength(length)
})

test('closed, it reads no more', async () => {
  const { revocations, state } = setUp()
  await revocations.start()
  revocations.close()
  state.notify()
  await vi.advanceTimersByTimeAsync(5000)
  expect(state.reads).toBe(1)
})

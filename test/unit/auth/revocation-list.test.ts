import { expect, test } from 'vitest'
import { createRevocation } from '../../../src/auth/revocation.ts'
import { RevocationList } from '../../../src/auth/revocation-list.ts'
import type { RevocationTarget } from '../../../src/ports/token-registry.ts'

const NOW_MS = 1_790_000_000_500
const DAY_MS = 86_400_000
const owner = { tokenId: 't-1', team: 'blue', app: 'web', issuedAtMs: NOW_MS - 1000 }

const revoked = (target: RevocationTarget, token = owner, issuedBeforeMs = NOW_MS) => {
  const list = new RevocationList()
  list.add([createRevocation({ target, nowMs: NOW_MS, issuedBeforeMs, by: 'tests' })], NOW_MS)
  return list.isRevoked(token)
}

test.each<[RevocationTarget, boolean]>([
  [{ kind: 'token', tokenId: 't-1' }, true],
  [{ kind: 'token', tokenId: 't-2' }, false],
  [{ kind: 'app', app: 'web' }, true],
  [{ kind: 'app', app: 'batch' }, false],
  [{ kind: 'app', app: 'web', team: 'blue' }, true],
  [{ kind: 'app', app: 'web', team: 'red' }, false],
  [{ kind: 'app', app: 'batch', team: 'blue' }, false],
  [{ kind: 'team', team: 'blue' }, true],
  [{ kind: 'team', team: 'web' }, false],
  [{ kind: 'all' }, true],
])('%j is about the token: %s', (target, expected) => {
  expect(revoked(target)).toBe(expected)
})

test.each<RevocationTarget>([
  { kind: 'app', app: 'web' },
  { kind: 'app', app: 'web', team: 'blue' },
  { kind: 'team', team: 'blue' },
  { kind: 'all' },
])('%j is about tokens issued up to its moment', target => {
  expect(revoked(target, { ...owner, issuedAtMs: NOW_MS })).toBe(true)
  expect(revoked(target, { ...owner, issuedAtMs: NOW_MS + 1 })).toBe(false)
  expect(revoked(target, owner, owner.issuedAtMs - 1)).toBe(false)
})

test('a token that is named is revoked whenever it was issued', () => {
  expect(revoked({ kind: 'token', tokenId: 't-1' }, { ...owner, issuedAtMs: NOW_MS + DAY_MS })).toBe(true)
})

test('of several revocations the latest counts, in any order; none takes another back', () => {
  for (const order of [
    [NOW_MS, NOW_MS - 5000],
    [NOW_MS - 5000, NOW_MS],
  ]) {
    const list = new RevocationList()
    for (const issuedBeforeMs of order)
      list.add(
        [createRevocation({ target: { kind: 'team', team: 'blue' }, nowMs: NOW_MS, issuedBeforeMs, by: 'x' })],
        NOW_MS,
      )
    list.add([createRevocation({ target: { kind: 'app', app: 'a', team: 'blue' }, nowMs: NOW_MS, by: 'x' })], NOW_MS)
    expect(list.isRevoked(owner)).toBe(true)
  }
})

test('adds each once, and none that is over', () => {
  const list = new RevocationList()
  const one = createRevocation({ target: { kind: 'all' }, nowMs: NOW_MS, by: 'x' })
  expect(list.add([one, one], NOW_MS)).toBe(1)
  expect(list.add([one], NOW_MS)).toBe(0)
  expect(list.add([{ ...one, id: 'over', untilMs: NOW_MS }], NOW_MS)).toBe(0)
})

test('a sweep forgets what is over and nothing else', () => {
  const list = new RevocationList()
  const make = (target: RevocationTarget, untilMs: number) => ({
    ...createRevocation({ target, nowMs: NOW_MS, by: 'x' }),
    untilMs,
  })
  const soon = make({ kind: 'token', tokenId: 't-1' }, NOW_MS + 10)
  const late = make({ kind: 'app', app: 'batch' }, NOW_MS + DAY_MS)
  list.add([soon, late, make({ kind: 'team', team: 'red' }, NOW_MS + 10)], NOW_MS)
  list.sweep(NOW_MS + 9)
  expect([list.size, list.isRevoked(owner)]).toEqual([3, true])
  list.sweep(NOW_MS + 10)
  expect([list.size, list.isRevoked(owner)]).toEqual([1, false])
  expect(list.isRevoked({ ...owner, app: 'batch' })).toBe(true)
  expect(list.isRevoked({ ...owner, team: 'red' })).toBe(false)
  expect(list.without(new Set())).toEqual([late])
  expect(list.without(new Set([late.id]))).toEqual([])
})

test('a revocation is kept until the last token that it could be about has expired', () => {
  const longest = 90 * DAY_MS
  expect(createRevocation({ target: { kind: 'all' }, nowMs: NOW_MS, by: 'x' }).untilMs).toBeGreaterThan(
    NOW_MS + longest,
  )
  const old = createRevocation({ target: { kind: 'all' }, nowMs: NOW_MS, issuedBeforeMs: NOW_MS - longest, by: 'x' })
  expect(old.untilMs).toBeLessThan(NOW_MS + DAY_MS)
  expect(createRevocation({ target: { kind: 'token', tokenId: 't' }, nowMs: NOW_MS, by: 'x' }).untilMs).toBeGreaterThan(
    NOW_MS + longest,
  )
})

test('ids sort by time', () => {
  const ids = [0, 1, 1000, NOW_MS].map(
    offset => createRevocation({ target: { kind: 'all' }, nowMs: NOW_MS + offset, by: 'x' }).id,
  )
  expect(ids.toSorted()).toEqual(ids)
})

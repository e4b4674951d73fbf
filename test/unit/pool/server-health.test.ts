import { expect, test } from 'vitest'
import {
  BROKEN,
  BUSY,
  DOWN_AFTER,
  EJECT_AFTER,
  EJECT_MS,
  MAX_BUSY_MS,
  MAX_EJECT_MS,
  ServerHealth,
  UP_AFTER,
  USABLE,
} from '../../../src/pool/server-health.ts'

const healthy = () => new ServerHealth(() => 0)

/** Failures until it is ejected; what the last one changed. */
function eject(health: ServerHealth, now: number) {
  for (let at = 1; at < EJECT_AFTER; at++) expect(health.failed('failed', now)).toBeUndefined()
  return health.failed('failed', now)
}

test('failures in a row eject, an answer in between does not let them', () => {
  const health = healthy()
  expect(health.trust(0)).toBe(USABLE)
  for (let at = 0; at < 20; at++) {
    if (at % 2 === 0) health.answered()
    else expect(health.failed('failed', at)).toBeUndefined()
  }
  expect(health.trust(20)).toBe(USABLE)
  health.answered()
  expect(eject(health, 100)).toBe('ejected')
  expect(health.trust(100 + EJECT_MS - 1)).toBe(BROKEN)
  expect(health.trust(100 + EJECT_MS)).toBe(USABLE)
})

test('a server that cannot be connected to is ejected at once', () => {
  const health = healthy()
  expect(health.failed('unreachable', 0)).toBe('ejected')
  expect(health.trust(1)).toBe(BROKEN)
})

test('behind an ejection one request is let through, and what becomes of it decides', () => {
  const health = healthy()
  let now = 0
  eject(health, now)
  for (let round = 1; round < 12; round++) {
    now += Math.min(MAX_EJECT_MS, EJECT_MS * 2 ** (round - 1))
    expect(health.trust(now)).toBe(USABLE)
    health.taken()
    expect(health.trust(now)).toBe(BROKEN)
    expect(health.failed('failed', now)).toBeUndefined()
    const pause = Math.min(MAX_EJECT_MS, EJECT_MS * 2 ** round)
    expect(health.trust(now + pause - 1)).toBe(BROKEN)
  }
  now += MAX_EJECT_MS
  health.taken()
  expect(health.answered()).toBe('restored')
  expect(health.trust(now)).toBe(USABLE)
  // As if nothing had been: the next ejection is a short one.
  eject(health, now)
  expect(health.trust(now + EJECT_MS)).toBe(USABLE)
})

test('a trial that nobody waits for any more makes room for another', () => {
  const health = healthy()
  eject(health, 0)
  health.taken()
  health.abandoned()
  expect(health.trust(EJECT_MS)).toBe(USABLE)
})

test('requests that were under way when it was ejected say nothing new', () => {
  const health = healthy()
  eject(health, 0)
  for (let at = 0; at < 10; at++) expect(health.failed('failed', 10)).toBeUndefined()
  expect(health.trust(EJECT_MS)).toBe(USABLE)
})

test('ends of ejections are spread by a quarter', () => {
  const health = new ServerHealth(() => 0.999)
  eject(health, 0)
  expect(health.trust(1.24 * EJECT_MS)).toBe(BROKEN)
  expect(health.trust(1.25 * EJECT_MS)).toBe(USABLE)
})

test('a busy server is left alone for as long as it says, and not for long', () => {
  const health = healthy()
  health.busy(3000, 0)
  expect(health.trust(2999)).toBe(BUSY)
  expect(health.trust(3000)).toBe(USABLE)
  health.busy(86_400_000, 5000)
  expect(health.trust(5000 + MAX_BUSY_MS)).toBe(USABLE)
})

test('checks in a row take it down and up, once each', () => {
  const health = healthy()
  const changes = (good: boolean, times: number) => Array.from({ length: times }, () => health.checked(good))
  expect(changes(true, 3)).toEqual([undefined, undefined, undefined])
  expect(changes(false, DOWN_AFTER - 1)).not.toContain('down')
  expect(changes(true, 1)).toEqual([undefined])
  expect(changes(false, DOWN_AFTER).at(-1)).toBe('down')
  expect(changes(false, 5).filter(Boolean)).toEqual([])
  expect(health.trust(0)).toBe(BROKEN)
  expect(changes(true, UP_AFTER).at(-1)).toBe('up')
  expect(health.trust(0)).toBe(USABLE)
})

test('a server that answers requests is not taken down by checks that it has no time for', () => {
  const health = healthy()
  for (let at = 0; at < 20; at++) {
    expect(health.checked(false)).toBeUndefined()
    if (at % 2 === 0) health.answered()
  }
  expect(health.trust(0)).toBe(USABLE)
})

test('a server that comes up is tried at once, however long its ejection was', () => {
  const health = healthy()
  eject(health, 0)
  for (let at = 0; at < DOWN_AFTER; at++) health.checked(false)
  for (let at = 0; at < UP_AFTER; at++) health.checked(true)
  expect(health.trust(1)).toBe(USABLE)
})

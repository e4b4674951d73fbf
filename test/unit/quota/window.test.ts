import { describe, expect, test } from 'vitest'
import { expiryOf, SlidingWindow, subWindowAt } from '../../../src/quota/window.ts'

const NOON = 1_790_000_040_000

describe('sub-windows', () => {
  test('a charge expires in the first millisecond that the window no longer reaches', () => {
    for (const windowMs of [1, 59, 61, 1000, 1001, 60_000, 86_400_000, 2_592_000_000]) {
      for (const now of [0, 1, NOON, NOON + 7, 9_999_999_999_999]) {
        const subWindow = subWindowAt(now, windowMs)
        const expiry = expiryOf(subWindow, windowMs)
        expect(subWindowAt(expiry, windowMs)).toBeGreaterThanOrEqual(subWindow + 61)
        expect(subWindowAt(expiry - 1, windowMs)).toBeLessThan(subWindow + 61)
        expect(expiry - now).toBeGreaterThan(windowMs)
        expect(expiry - now).toBeLessThanOrEqual(Math.ceil((windowMs * 61) / 60))
      }
    }
  })
})

describe('a sliding window', () => {
  test('counts a charge for a window and at most a sub-window', () => {
    const window = new SlidingWindow(60_000)
    window.add(NOON + 999, 5)
    expect(window.total(NOON + 60_999)).toBe(5)
    expect(window.total(NOON + 61_000)).toBe(0)
    expect(window.isOver(NOON + 61_000)).toBe(true)
  })

  test('waits for as many of the oldest charges as must go', () => {
    const window = new SlidingWindow(60_000)
    for (const [second, amount] of [
      [0, 4],
      [10, 3],
      [20, 2],
    ] as const)
      window.add(NOON + second * 1000, amount)
    const now = NOON + 30_000
    expect(window.waitFor(now, 9)).toBe(0)
    expect(window.waitFor(now, 8)).toBe(31_000)
    expect(window.waitFor(now, 5)).toBe(31_000)
    expect(window.waitFor(now, 4)).toBe(41_000)
    expect(window.waitFor(now, 0)).toBe(51_000)
    expect(window.resetMs(now)).toBe(51_000)
  })

  test('corrects a charge up and down, and never takes away more than there is', () => {
    const window = new SlidingWindow(60_000)
    const first = window.add(NOON, 4)
    window.add(NOON + 5000, 1)
    window.adjust(first, 6)
    expect(window.total(NOON + 5000)).toBe(11)
    window.adjust(first, -100)
    expect(window.total(NOON + 5000)).toBe(1)
    window.adjust(first - 3, 50)
    expect(window.total(NOON + 5000)).toBe(1)
  })

  test('a clock that steps back a little stands still', () => {
    const window = new SlidingWindow(60_000)
    window.add(NOON, 4)
    window.add(NOON - 30_000, 2)
    expect(window.total(NOON - 30_000)).toBe(6)
    expect(window.waitFor(NOON - 30_000, 5)).toBe(91_000)
    expect(window.total(NOON + 60_999)).toBe(6)
    expect(window.total(NOON + 61_000)).toBe(0)
  })

  test('a clock that steps back by more than the window starts it anew', () => {
    const window = new SlidingWindow(60_000)
    window.add(NOON, 4)
    expect(window.total(NOON - 61_000)).toBe(0)
    window.add(NOON - 61_000, 3)
    expect(window.total(NOON - 1001)).toBe(3)
    expect(window.total(NOON)).toBe(0)
  })
})

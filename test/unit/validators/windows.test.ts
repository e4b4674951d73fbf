import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutWindows, overlapOf, windowsOf } from '../../../src/validators/windows.ts'

const words = fc
  .array(fc.constantFrom('one ', 'zwei ', 'trois. ', '🙂', 'é', '\n'), { maxLength: 60 })
  .map(parts => parts.join(''))

test('what is no longer than the overlap is whole in some window, wherever it stands', () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 8, max: 40 }), (text, size) => {
      const windows = cutWindows(text, size)
      const overlap = overlapOf(size)
      for (const window of windows) expect(window.length).toBeLessThanOrEqual(size)
      for (let at = 0; at < text.length; at++) {
        const part = text.slice(at, at + overlap)
        // A half of a pair is nothing that could be looked for.
        if (part.isWellFormed()) expect(windows.some(window => window.includes(part))).toBe(true)
      }
    }),
  )
})

test('no window begins or ends inside a pair', () => {
  const text = '🙂'.repeat(100)
  for (const size of [9, 10, 11, 16]) {
    for (const window of cutWindows(text, size)) expect(window).toMatch(/^(?:🙂)+$/u)
  }
})

test('texts stay apart as long as there is room for that', () => {
  expect(windowsOf(['a', '', 'b', 'c'], 100, 3)).toEqual(['a', 'b', 'c'])
  expect(windowsOf(['a', 'b', 'c'], 100, 2)).toEqual(['a\nb\nc'])
  expect(windowsOf([], 100, 1)).toEqual([])
})

test('more than there are windows for is told, not cut', () => {
  expect(windowsOf(['x'.repeat(1000)], 100, 12)).toBeNull()
  expect(windowsOf(['x'.repeat(1000)], 100, 13)).toHaveLength(13)
  expect(
    windowsOf(
      Array.from({ length: 40 }, () => 'x'.repeat(49)),
      100,
      20,
    ),
  ).toHaveLength(20)
  expect(
    windowsOf(
      Array.from({ length: 41 }, () => 'x'.repeat(49)),
      100,
      20,
    ),
  ).toBeNull()
})

test('a conversation that grows keeps its windows, also when neighbours are put together', () => {
  const messages = Array.from({ length: 50 }, (_, index) => `message ${index} `.repeat(5))
  const before = windowsOf(messages, 200, 20) ?? []
  const after = windowsOf([...messages, 'one more'], 200, 20) ?? []
  expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1))
})

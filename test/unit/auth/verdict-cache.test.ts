import { expect, test } from 'vitest'
import { VerdictCache } from '../../../src/auth/verdict-cache.ts'

test('a value is there until its moment and not at it', () => {
  const cache = new VerdictCache<string>(10)
  cache.set('a', 'x', 100)
  expect(cache.get('a', 99)).toBe('x')
  expect(cache.get('a', 100)).toBeUndefined()
  expect(cache.size).toBe(0)
})

test('the one unused longest goes first, and it never holds more than it may', () => {
  const cache = new VerdictCache<number>(2)
  cache.set('a', 1, 100)
  cache.set('b', 2, 100)
  cache.get('a', 0)
  cache.set('c', 3, 100)
  expect(cache.size).toBe(2)
  expect([cache.get('a', 0), cache.get('b', 0), cache.get('c', 0)]).toEqual([1, undefined, 3])
})

test('setting again replaces and takes no second place', () => {
  const cache = new VerdictCache<number>(2)
  cache.set('a', 1, 100)
  cache.set('b', 2, 100)
  cache.set('b', 3, 100)
  expect([cache.get('a', 0), cache.get('b', 0)]).toEqual([1, 3])
})

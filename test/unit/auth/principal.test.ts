import { expect, test } from 'vitest'
import { mayUseModel } from '../../../src/auth/principal.ts'

test.each([
  ['llama-3.1-8b', 'llama-3.1-8b', true],
  ['llama-3.1-8b', 'llama-3x1-8b', false],
  ['llama*', 'llama-3.1-8b', true],
  ['*-8b', 'llama-3.1-8b', true],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['*', 'anything/at:all', true],
  ['Llama*', 'llama', false],
  ['a?c', 'abc', false],
  ['[ab]', 'a', false],
])('glob %s for model %s: %s', (glob, model, allowed) => {
  expect(mayUseModel({ models: [glob] }, model)).toBe(allowed)
})

test('any glob is enough, none is none', () => {
  expect(mayUseModel({ models: ['a', 'b*'] }, 'bc')).toBe(true)
  expect(mayUseModel({ models: [] }, 'a')).toBe(false)
})

test('a hostile glob and a very long name cost next to nothing', () => {
  const started = performance.now()
  expect(mayUseModel({ models: ['*a'.repeat(100) + '*b'] }, 'a'.repeat(200))).toBe(false)
  expect(mayUseModel({ models: ['*'] }, 'a'.repeat(4_000_000))).toBe(false)
  expect(performance.now() - started).toBeLessThan(100)
})

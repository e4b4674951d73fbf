import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mayUseModel } from '../../src/auth/principal.ts'

/** The plain definition: tries every length for every star. */
function naive(glob: string, text: string): boolean {
  if (glob === '') return text === ''
  if (glob[0] !== '*') return glob[0] === text[0] && naive(glob.slice(1), text.slice(1))
  for (let taken = 0; taken <= text.length; taken++) if (naive(glob.slice(1), text.slice(taken))) return true
  return false
}

test('a glob matches exactly what its plain definition says', () => {
  const few = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 })
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 })
  fc.assert(
    fc.property(glob, few, (pattern, model) => {
      expect(mayUseModel({ models: [pattern] }, model)).toBe(naive(pattern, model))
    }),
    { numRuns: 5000 },
  )
})

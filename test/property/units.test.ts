import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatQuantity, parseQuantity, type Quantity } from '../../src/config/units.ts'

const kind = fc.constantFrom<Quantity>('duration', 'size', 'count')

test('what is written is read back as the same value', () => {
  fc.assert(
    fc.property(kind, fc.nat({ max: 999_999_999_999_999 }), (quantity, value) => {
      expect(parseQuantity(quantity, formatQuantity(quantity, value))).toBe(value)
    }),
  )
})

test('any text is a whole, safe, non-negative number or nothing', () => {
  const nearly = fc.stringMatching(/^[-+.0-9eE ]{0,20}(ms|s|m|h|d|B|KiB|MiB|GiB|k|M|K)?$/)
  fc.assert(
    fc.property(kind, fc.oneof(fc.string(), nearly), (quantity, text) => {
      const value = parseQuantity(quantity, text)
      if (value === undefined) return
      expect(Number.isSafeInteger(value) && value >= 0).toBe(true)
      expect(text).toMatch(/^\d+[A-Za-z]*$/)
    }),
  )
})

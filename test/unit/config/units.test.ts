import { expect, test } from 'vitest'
import { formatQuantity, parseQuantity } from '../../../src/config/units.ts'

test.each([
  ['duration', '300ms', 300],
  ['duration', '30s', 30_000],
  ['duration', '15m', 900_000],
  ['duration', '12h', 43_200_000],
  ['duration', '90d', 7_776_000_000],
  ['size', '512B', 512],
  ['size', '64KiB', 65_536],
  ['size', '1MiB', 1_048_576],
  ['size', '2GiB', 2_147_483_648],
  ['count', '0', 0],
  ['count', '30', 30],
  ['count', '100k', 100_000],
  ['count', '5M', 5_000_000],
] as const)('%s %s is %d', (kind, text, value) => {
  expect(parseQuantity(kind, text)).toBe(value)
})

test.each([
  ['duration', '30'],
  ['duration', '30 s'],
  ['duration', '1.5h'],
  ['duration', '-5s'],
  ['duration', '5S'],
  ['duration', '30sec'],
  ['duration', 's'],
  ['duration', ''],
  ['duration', '64KiB'],
  ['duration', '999999999999999d'],
  ['size', '64KB'],
  ['size', '64kib'],
  ['size', '64'],
  ['count', '1K'],
  ['count', '5m'],
  ['count', '1e3'],
  ['count', '٣'],
  ['count', '5M\n'],
] as const)('%s %j is refused', (kind, text) => {
  expect(parseQuantity(kind, text)).toBeUndefined()
})

test('the largest whole unit is written', () => {
  expect(formatQuantity('duration', 90_000)).toBe('90s')
  expect(formatQuantity('duration', 86_400_000)).toBe('1d')
  expect(formatQuantity('size', 65_536)).toBe('64KiB')
  expect(formatQuantity('count', 0)).toBe('0')
})

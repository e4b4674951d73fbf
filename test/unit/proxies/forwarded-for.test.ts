import { expect, test } from 'vitest'
import { forwardedAddress } from '../../../src/proxies/forwarded-for.ts'
import { createNetworkTest } from '../../../src/proxies/networks.ts'

const isTrusted = createNetworkTest(['10.0.0.0/8'])
const read = (xForwardedFor?: string, forwarded?: string) =>
  forwardedAddress({ xForwardedFor, forwarded }, '10.0.0.1', isTrusted)

test.each([
  [undefined, '10.0.0.1'],
  ['198.51.100.4', '198.51.100.4'],
  // What a stranger claims stands on the left.
  ['203.0.113.9, 198.51.100.4', '198.51.100.4'],
  ['203.0.113.9, 198.51.100.4, 10.0.0.2', '198.51.100.4'],
  ['nonsense, 198.51.100.4', '198.51.100.4'],
  ['10.0.0.9,10.0.0.8', '10.0.0.9'],
  ['198.51.100.4:5555', '198.51.100.4'],
  ['[2001:db8::7]:443', '2001:db8::7'],
  ['2001:db8::7', '2001:db8::7'],
  ['::ffff:198.51.100.4', '198.51.100.4'],
  ['198.51.100.4, nonsense', undefined],
  ['unknown', undefined],
  ['', undefined],
  ['198.51.100.4,', undefined],
  [Array.from({ length: 33 }, () => '10.0.0.2').join(','), undefined],
])('X-Forwarded-For: %s is %s', (header, expected) => {
  expect(read(header)).toBe(expected)
})

test.each([
  ['for=198.51.100.4', '198.51.100.4'],
  ['for=203.0.113.9;proto=https, by=10.0.0.1;For="[2001:db8::7]:443"', '2001:db8::7'],
  ['for=_hidden', undefined],
  ['proto=https', undefined],
])('Forwarded: %s is %s', (header, expected) => {
  expect(read(undefined, header)).toBe(expected)
})

test('X-Forwarded-For goes before Forwarded', () => {
  expect(read('198.51.100.4', 'for=203.0.113.9')).toBe('198.51.100.4')
})

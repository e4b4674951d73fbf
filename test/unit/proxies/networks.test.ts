import { expect, test } from 'vitest'
import { createNetworkTest, isNetwork } from '../../../src/proxies/networks.ts'

test.each(['10.0.0.7', '10.1.0.0/16', '0.0.0.0/0', 'fd00::1', 'fd00::/8', '::ffff:10.0.0.7'])('%s is one', text => {
  expect(isNetwork(text)).toBe(true)
})

test.each([
  '',
  '10.1',
  '10.0.0.7/33',
  '10.0.0.256',
  '010.0.0.1',
  'proxy.internal',
  'fd00::/129',
  '10.0.0.0/',
  '10.0.0.0/8/8',
])('%j is none', text => {
  expect(isNetwork(text)).toBe(false)
})

test.each([
  ['10.1.2.3', true],
  ['10.2.0.1', false],
  ['::ffff:10.1.2.3', true],
  ['192.0.2.7', true],
  ['192.0.2.8', false],
  ['fd12::1', true],
  ['fe80::1', false],
  ['unknown', false],
  ['10.1', false],
  ['', false],
])('%s: %s', (address, expected) => {
  expect(createNetworkTest(['10.1.0.0/16', '192.0.2.7', 'fd00::/8'])(address)).toBe(expected)
})

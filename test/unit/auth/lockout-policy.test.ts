import { describe, expect, test } from 'vitest'
import { lockoutKey } from '../../../src/auth/lockout-policy.ts'

describe('what an address is locked out under', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['2001:0DB8:0000:0001::9', '2001:db8:0:1::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
    ['', ''],
  ])('%s: %s', (address, key) => {
    expect(lockoutKey(address)).toBe(key)
  })

  test('is bounded', () => {
    expect(lockoutKey('x'.repeat(10_000))).toHaveLength(64)
  })
})

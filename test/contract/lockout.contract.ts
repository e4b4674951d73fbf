import { expect, test } from 'vitest'
import { LOCKOUT, type LockoutPolicy } from '../../src/auth/lockout-policy.ts'
import type { Lockout } from '../../src/ports/lockout.ts'
import { sleep, waitFor } from '../support/wait.ts'

/** Most of the lock's second; a busy machine may have taken the rest. */
export const MOST = 500

export const policy: LockoutPolicy = { failures: 3, windowMs: 60_000, lockMs: 1000, maxAddresses: 100 }

export async function fail(lockout: Lockout, times: number, address = '192.0.2.1') {
  for (let time = 0; time < times; time++) await lockout.failed(address)
  return lockout.lockedForMs(address)
}

/** What every lock-out does, for a policy of three failures and one second. */
export function testLockout(create: (policy: LockoutPolicy) => Lockout) {
  test('the third failure locks, for its time and this address alone', async () => {
    const lockout = create(policy)
    expect(await fail(lockout, 2)).toBe(0)
    const left = await fail(lockout, 1)
    expect(left).toBeGreaterThan(MOST)
    expect(left).toBeLessThanOrEqual(1000)
    expect(lockout.lockedForMs('::ffff:192.0.2.1')).toBeGreaterThan(MOST)
    expect(lockout.lockedForMs('192.0.2.2')).toBe(0)
  })

  test('failures while locked do not prolong it, and count anew afterwards', async () => {
    const lockout = create(policy)
    await fail(lockout, 3)
    await sleep(500)
    expect(await fail(lockout, 10)).toBeLessThanOrEqual(510)
    await waitFor('unlocked', () => lockout.lockedForMs('192.0.2.1') === 0, 1000)
    await sleep(20)
    expect(await fail(lockout, 2)).toBe(0)
    expect(await fail(lockout, 1)).toBeGreaterThan(MOST)
  })

  test('twenty failures by default, for a minute', async () => {
    const lockout = create(LOCKOUT)
    expect(await fail(lockout, 19)).toBe(0)
    expect(await fail(lockout, 1)).toBeGreaterThan(50_000)
  })
}

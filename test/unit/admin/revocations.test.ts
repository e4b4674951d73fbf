import { expect, test } from 'vitest'
import { systemClock } from '../../../adapters/node/clock.ts'
import { REVOKE } from '../../../src/admin/revocations.ts'
import type { AdminServices } from '../../../src/admin/services.ts'
import { Revocations } from '../../../src/auth/revocations.ts'
import type { Revocation, TokenRegistry } from '../../../src/ports/token-registry.ts'

test('what is revoked is in force on this instance when the answer comes, also where no notice does', async () => {
  const stored: Revocation[] = []
  const registry = {
    revocations: async (after = '0') => ({
      revocations: stored.slice(Number(after)),
      cursor: String(stored.length),
      complete: after === '0',
    }),
    revoke: async (revocation: Revocation) => {
      stored.push(revocation)
      return 'done'
    },
    find: async () => undefined,
    watch: () => () => {},
  } as unknown as TokenRegistry
  const telemetry = { log: () => {}, count: () => {} }
  const revocations = new Revocations({
    registry,
    clock: systemClock,
    telemetry,
    maxAgeMs: 60_000,
    onFailure: 'deny',
  })
  await revocations.start()
  const owner = { tokenId: 't', team: 'blue', app: 'a', issuedAtMs: Date.now() - 1000 }
  expect(revocations.standing(owner)).toBe('good')
  const call = { params: {}, query: {}, body: { target: { kind: 'team', team: 'blue' } }, by: { subject: 's' } }
  const result = await REVOKE.run(call as never, { registry, clock: systemClock, revocations } as AdminServices)
  expect(result.ok).toBe(true)
  expect(revocations.standing(owner)).toBe('revoked')
  revocations.close()
})

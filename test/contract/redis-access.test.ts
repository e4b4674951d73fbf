import { describe, test } from 'vitest'
import { redisAccessChecks } from './redis-access.contract.ts'

describe('getting into Redis on Node', () => {
  for (const check of redisAccessChecks()) test(check.name, { timeout: 60_000 }, () => check.run())
})

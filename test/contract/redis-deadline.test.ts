import { describe, test } from 'vitest'
import { redisDeadlineChecks } from './redis-deadline.contract.ts'

describe('the deadline of Redis on Node', () => {
  for (const check of redisDeadlineChecks()) test(check.name, () => check.run())
})

import { redisDeadlineChecks } from './redis-deadline.contract.ts'
import { runChecks } from './run-checks.ts'

await runChecks(redisDeadlineChecks())
process.exit(0)

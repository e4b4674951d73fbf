import { redisAccessChecks } from './redis-access.contract.ts'
import { runChecks } from './run-checks.ts'

await runChecks(redisAccessChecks())
process.exit(0)

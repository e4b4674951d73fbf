import { createBunUpstream } from '../../adapters/bun/upstream.ts'
import { runChecks } from './run-checks.ts'
import { upstreamChecks } from './upstream.contract.ts'

await runChecks(upstreamChecks(() => createBunUpstream()))
process.exit(0)

import { serveBun } from '../../adapters/bun/server.ts'
import { bunTransport } from '../../adapters/bun/transport.ts'
import { runChecks } from './run-checks.ts'
import { transportChecks } from './transport.contract.ts'

await runChecks(transportChecks(bunTransport, serveBun))
process.exit(0)

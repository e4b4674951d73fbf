import { serveBun } from '../../adapters/bun/server.ts'
import { runChecks } from './run-checks.ts'
import { tlsChecks } from './tls.contract.ts'

await runChecks(tlsChecks(serveBun))
process.exit(0)

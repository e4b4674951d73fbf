import { serveBunTls } from '../../adapters/bun/tls-server.ts'
import { runChecks } from './run-checks.ts'
import { tlsChecks } from './tls.contract.ts'
import { tlsLimitChecks } from './tls-limits.contract.ts'

await runChecks([...tlsChecks(serveBunTls), ...tlsLimitChecks(serveBunTls)])
process.exit(0)

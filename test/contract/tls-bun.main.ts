import { serveBunTls } from '../../adapters/bun/tls-server.ts'
import { runChecks } from './run-checks.ts'
import { tlsChecks } from './tls.contract.ts'

await runChecks(tlsChecks(serveBunTls))
process.exit(0)

import { describe, test } from 'vitest'
import { serveNode } from '../../adapters/node/server.ts'
import { tlsChecks } from './tls.contract.ts'
import { tlsLimitChecks } from './tls-limits.contract.ts'

describe('TLS on Node', () => {
  for (const check of [...tlsChecks(serveNode), ...tlsLimitChecks(serveNode)]) {
    test(check.name, { timeout: 30_000 }, () => check.run())
  }
})

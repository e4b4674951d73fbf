import { describe, test } from 'vitest'
import { serveNode } from '../../adapters/node/server.ts'
import { tlsChecks } from './tls.contract.ts'

describe('TLS on Node', () => {
  for (const check of tlsChecks(serveNode)) test(check.name, () => check.run())
})

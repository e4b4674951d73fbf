import { describe, test } from 'vitest'
import { serveNode } from '../../adapters/node/server.ts'
import { nodeTransport } from '../../adapters/node/transport.ts'
import { transportChecks } from './transport.contract.ts'

describe('transport on Node', () => {
  for (const check of transportChecks(nodeTransport, serveNode)) test(check.name, () => check.run())
})

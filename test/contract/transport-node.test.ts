import { afterAll, describe, test } from 'vitest'
import { serveNode } from '../../adapters/node/server.ts'
import { nodeTransport } from '../../adapters/node/transport.ts'
import { makeFiles } from './certificates.ts'
import { transportChecks } from './transport.contract.ts'

const files = makeFiles()
afterAll(() => files.remove())

describe('transport on Node', () => {
  for (const check of transportChecks(nodeTransport, serveNode)) test(check.name, () => check.run())
})

describe('transport on Node, over TLS', () => {
  const secure = { tls: { cert: files.cert, key: files.key }, ca: files.ca }
  for (const check of transportChecks(nodeTransport, serveNode, secure)) test(check.name, () => check.run())
})

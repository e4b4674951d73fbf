import { describe, test } from 'vitest'
import { createUndiciUpstream } from '../../adapters/node/undici-upstream.ts'
import { createNodeUpstream } from '../../adapters/node/upstream.ts'
import { upstreamTlsChecks } from './upstream-tls.contract.ts'

describe('upstream on Node', () => {
  for (const check of upstreamTlsChecks(tlsOf => createNodeUpstream({ tlsOf }))) test(check.name, () => check.run())
})

describe('upstream on Node with undici', () => {
  for (const check of upstreamTlsChecks(tlsOf => createUndiciUpstream({ tlsOf }))) test(check.name, () => check.run())
})

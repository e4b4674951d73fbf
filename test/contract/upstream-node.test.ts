import { describe, test } from 'vitest'
import { createUndiciUpstream } from '../../adapters/node/undici-upstream.ts'
import { createNodeUpstream } from '../../adapters/node/upstream.ts'
import { upstreamChecks } from './upstream.contract.ts'

describe('upstream on Node', () => {
  for (const check of upstreamChecks(() => createNodeUpstream())) test(check.name, () => check.run())
})

describe('upstream on Node with undici', () => {
  for (const check of upstreamChecks(() => createUndiciUpstream())) test(check.name, () => check.run())
})

import { describe, test } from 'vitest'
import { createNodeUpstream } from '../../adapters/node/upstream.ts'
import { upstreamChecks } from './upstream.contract.ts'

describe('upstream on Node', () => {
  for (const check of upstreamChecks(() => createNodeUpstream())) test(check.name, () => check.run())
})

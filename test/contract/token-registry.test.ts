import { describe, test } from 'vitest'
import { startEmbeddedRegistry } from './embedded-token-registry.ts'
import { tokenRegistryChecks } from './token-registry.contract.ts'

describe('embedded token registry', () => {
  for (const { name, run } of tokenRegistryChecks(startEmbeddedRegistry)) test(name, { timeout: 30_000 }, run)
})

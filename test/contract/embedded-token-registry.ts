import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Database } from '../../adapters/embedded/database.ts'
import { createEmbeddedTokenRegistry } from '../../adapters/embedded/token-registry.ts'
import { systemClock } from '../../adapters/node/clock.ts'
import type { RegistryUnderTest } from './token-registry.contract.ts'

/** Two connections to one file, as two processes have them. */
export async function startEmbeddedRegistry(): Promise<RegistryUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  const path = join(folder, 'state', 'sallyport.db')
  const databases = [new Database(path), new Database(path)] as const
  const [one, other] = databases
  return {
    registries: [createEmbeddedTokenRegistry(one, systemClock), createEmbeddedTokenRegistry(other, systemClock)],
    empty: async () => rmSync(join(folder, 'state'), { recursive: true }),
    async stop() {
      for (const database of databases) database.close()
      rmSync(folder, { recursive: true })
    },
  }
}

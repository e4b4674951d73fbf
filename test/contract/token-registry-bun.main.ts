import { startEmbeddedRegistry } from './embedded-token-registry.ts'
import { runChecks } from './run-checks.ts'
import { tokenRegistryChecks } from './token-registry.contract.ts'

await runChecks(tokenRegistryChecks(startEmbeddedRegistry))

import manifest from '../../../package.json' with { type: 'json' }
import type { ChecklistRead } from '../../../src/admin/services.ts'
import { checklistOf } from '../../../src/checklist/report.ts'
import type { Config } from '../../../src/config/config.ts'
import type { PolicyBook } from '../../../src/pipeline/policy-book.ts'
import type { TokenRegistry } from '../../../src/ports/token-registry.ts'
import { CommandFailure } from '../failure.ts'
import { attestationsFile, redteamFile } from '../proof-files.ts'
import { readAttestations } from './attestations.ts'
import { gatherFacts } from './gather.ts'

/** Where a gateway's configuration comes from. */
export interface Deployment {
  /** What it is called on the checklist: the configuration's file. */
  readonly name: string
  /** In which the proofs are kept. */
  readonly folder: string
}

/** The checklist of a gateway that serves. Whoever asks while it is being made gets the same one. */
export function createRunningChecklist(
  inForce: () => { readonly config: Config; readonly policies: PolicyBook },
  { name, folder }: Deployment,
  registry: TokenRegistry,
): () => Promise<ChecklistRead> {
  let making: Promise<ChecklistRead> | undefined
  async function make(): Promise<ChecklistRead> {
    try {
      const attestations = await readAttestations(attestationsFile(folder))
      const { config, policies } = inForce()
      const facts = await gatherFacts(config, {
        redteamFile: redteamFile(folder),
        full: false,
        serving: { registry, policies },
      })
      return {
        ok: true,
        checklist: checklistOf(facts, attestations),
        title: { deployment: name, version: manifest.version },
      }
    } catch (error) {
      if (error instanceof CommandFailure) return { ok: false, reason: error.message }
      throw error
    }
  }
  return () =>
    (making ??= make().finally(() => {
      making = undefined
    }))
}

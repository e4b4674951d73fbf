import type { Config } from '../../src/config/config.ts'
import type { Fault } from '../../src/config/fault.ts'
import { type ConfigLocation, readConfig } from '../node/config-file.ts'
import { faultList, nameOf } from './config-faults.ts'
import { CommandFailure } from './failure.ts'

export interface ServableConfig {
  readonly config: Config
  /** Of the file's text; '' where there is no file. */
  readonly sha256: string
  /** Worth a second thought. */
  readonly warnings: readonly Fault[]
}

/**
 * Reads a configuration that may be served.
 * @throws CommandFailure that names each field and what is wrong with it
 */
export async function readServable(location: ConfigLocation): Promise<ServableConfig> {
  const result = await readConfig(location, process.env)
  if (!result.ok) throw new CommandFailure(faultList(nameOf(location), result.faults))
  const { config, sha256 = '', warnings } = result
  return { config, sha256, warnings }
}

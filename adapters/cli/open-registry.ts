import { access } from 'node:fs/promises'
import { embeddedFile, type StateLocation } from '../../src/config/config.ts'
import { StoreUnavailableError } from '../../src/ports/state-store.ts'
import type { TokenRegistry } from '../../src/ports/token-registry.ts'
import { systemClock } from '../node/clock.ts'
import { type ConfigLocation, readState, readStateConfig } from '../node/config-file.ts'
import { StartError } from '../node/start-error.ts'
import { faultList, nameOf } from './config-faults.ts'
import { CommandFailure, UsageError } from './failure.ts'

/** A command serves nobody else: it may wait longer than a gateway. */
const TIMEOUT_MS = 2000

/** The place of `--state`, which is relative to the working folder, else that of the configuration. */
export async function locateState(option: string | undefined, location: ConfigLocation): Promise<StateLocation> {
  if (option !== undefined) {
    const given = await readState(option)
    if (!given.ok) throw new UsageError(`--state: ${given.faults.map(({ reason }) => reason).join('; ')}`)
    return given.state
  }
  const configured = await readStateConfig(location, process.env)
  if (!configured.ok) throw new CommandFailure(faultList(nameOf(location), configured.faults))
  return configured.state
}

/**
 * Runs a command's work on the registry at a place, and closes it.
 * @param create whether an embedded store is made that is not there yet: who only looks or revokes is in the wrong folder
 * @throws CommandFailure naming the store, where it cannot be used
 */
export async function withRegistry<T>(
  state: StateLocation,
  { create }: { readonly create: boolean },
  work: (registry: TokenRegistry) => Promise<T>,
): Promise<T> {
  try {
    const { registry, close } = await open(state, create)
    try {
      return await work(registry)
    } finally {
      await registry.close()
      await close()
    }
  } catch (error) {
    if (error instanceof StoreUnavailableError || error instanceof StartError) {
      throw new CommandFailure(`state: ${error.message}`)
    }
    throw error
  }
}

async function open(
  state: StateLocation,
  create: boolean,
): Promise<{ registry: TokenRegistry; close: () => void | Promise<void> }> {
  const file = embeddedFile(state)
  if (file === undefined) {
    const { createRedisClient } = await import('../redis/client.ts')
    const { createRedisTokenRegistry } = await import('../redis/token-registry.ts')
    const client = connect(() => createRedisClient({ url: state, timeoutMs: TIMEOUT_MS }))
    return { registry: createRedisTokenRegistry(client), close: () => client.close() }
  }
  if (!create) await mustBeThere(file)
  const { Database } = await import('../embedded/database.ts')
  const { createEmbeddedTokenRegistry } = await import('../embedded/token-registry.ts')
  const database = new Database(file, { busyMs: TIMEOUT_MS })
  return { registry: createEmbeddedTokenRegistry(database, systemClock), close: () => database.close() }
}

/** A URL that is none, or names files for TLS that cannot be used, is the caller's mistake. */
function connect<T>(create: () => T): T {
  try {
    return create()
  } catch (error) {
    if (error instanceof TypeError) throw new CommandFailure(`state: ${error.message}`)
    throw error
  }
}

async function mustBeThere(file: string): Promise<void> {
  try {
    await access(file)
  } catch {
    throw new CommandFailure(
      `state: ${file}: there is no such store (--config names the configuration of the gateway, --state its store)`,
    )
  }
}

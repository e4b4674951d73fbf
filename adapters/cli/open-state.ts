import { TOKEN_LOCKOUT } from '../../src/auth/lockout-policy.ts'
import { type Config, embeddedFile } from '../../src/config/config.ts'
import { STORE_TIMEOUT_MS } from '../../src/config/limits.ts'
import type { Lockout } from '../../src/ports/lockout.ts'
import type { StateStore } from '../../src/ports/state-store.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import type { TokenRegistry } from '../../src/ports/token-registry.ts'
import { withOutageModes } from '../../src/quota/outage.ts'
import { systemClock } from '../node/clock.ts'
import { opened } from './failure.ts'

/** What is counted and known between requests, and for how long the process lives. */
export interface State {
  readonly store: StateStore
  readonly lockout: Lockout
  readonly tokenLockout: Lockout
  readonly registry: TokenRegistry
  /** Closes what the others work on. */
  closeState(): Promise<void>
}

/**
 * Loads the one store that is asked for: the other's library would only cost time and memory.
 * @param current the configuration in force: what the store goes by can change while it is open
 */
export async function openState(current: () => Config, telemetry: Telemetry): Promise<State> {
  const { state, quotas } = current()
  const file = embeddedFile(state)
  if (file !== undefined) {
    const { Database } = await import('../embedded/database.ts')
    const { lockInstance } = await import('../embedded/instance-lock.ts')
    const { KeptWindows } = await import('../embedded/kept-windows.ts')
    const { createEmbeddedLockout } = await import('../embedded/lockout.ts')
    const { createEmbeddedStore } = await import('../embedded/state-store.ts')
    const { createEmbeddedTokenRegistry } = await import('../embedded/token-registry.ts')
    const database = await opened('state', async () => new Database(file))
    const unlock = quotas.length > 0 ? await opened('state', async () => lockInstance(file)) : undefined
    const kept = unlock && new KeptWindows(database, systemClock, telemetry)
    const store = await opened('state', async () => createEmbeddedStore(systemClock, kept))
    return {
      store,
      lockout: createEmbeddedLockout(systemClock),
      tokenLockout: createEmbeddedLockout(systemClock, TOKEN_LOCKOUT),
      registry: createEmbeddedTokenRegistry(database, systemClock),
      async closeState() {
        await store.close()
        database.close()
        unlock?.()
      },
    }
  }
  const { createRedisClient } = await import('../redis/client.ts')
  const { createRedisLockout } = await import('../redis/lockout.ts')
  const { createRedisStoreOn } = await import('../redis/state-store.ts')
  const { createRedisTokenRegistry } = await import('../redis/token-registry.ts')
  const client = await opened('state', async () =>
    createRedisClient({ url: state, timeoutMs: STORE_TIMEOUT_MS, telemetry }),
  )
  return {
    store: await toleratingOutages(createRedisStoreOn(client), current, telemetry),
    lockout: createRedisLockout(client, systemClock),
    tokenLockout: createRedisLockout(client, systemClock, TOKEN_LOCKOUT, undefined, 'token-lockout'),
    registry: createRedisTokenRegistry(client, { telemetry }),
    closeState: () => client.close(),
  }
}

/** Puts a breaker and the limits' outage modes in front of a store on the network. */
async function toleratingOutages(store: StateStore, current: () => Config, telemetry: Telemetry): Promise<StateStore> {
  const { createEmbeddedStore } = await import('../embedded/state-store.ts')
  const local = createEmbeddedStore(systemClock)
  return withOutageModes({
    store,
    local,
    instances: () => current().instances,
    tolerates: () => {
      const { quotas } = current()
      return quotas.length > 0 && quotas.every(({ onOutage = 'deny' }) => onOutage !== 'deny')
    },
    clock: systemClock,
    telemetry,
  })
}

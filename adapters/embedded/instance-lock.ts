import { closeSync, openSync } from 'node:fs'
import { reasonOf } from '../node/error-code.ts'
import { StartError } from '../node/start-error.ts'

/** SQLite's code for a lock that somebody else holds (`SQLITE_BUSY`). */
const BUSY = 5

/**
 * Makes this process the only one that counts quotas in an embedded store: windows are in the memory of one instance, and a
 * second one would admit as much again. The lock is SQLite's, on an empty file beside the store's: the kernel lets go of it
 * when the process ends, however it does. Returns what lets go of it before.
 * @throws StartError naming the store, where another process holds it, or the file cannot be made
 */
export function lockInstance(store: string): () => void {
  const path = `${store}-instance`
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  let connection: InstanceType<typeof DatabaseSync> | undefined
  try {
    closeSync(openSync(path, 'a', 0o600))
    connection = new DatabaseSync(path)
    connection.exec('BEGIN EXCLUSIVE')
    const held = connection
    return () => held.close()
  } catch (error) {
    connection?.close()
    const taken = (error as { errcode?: number }).errcode === BUSY || /locked/.test(String(error))
    if (taken) throw new StartError(`${store} is in use by another gateway: several that share quotas need Redis`)
    throw new StartError(`${path} cannot be used: ${reasonOf(error)}`, { cause: error })
  }
}

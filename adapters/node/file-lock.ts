import { statSync } from 'node:fs'
import { type FileHandle, link, open, readFile, readlink, rename, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from './error-code.ts'

/** A lock file that this process holds. */
export interface FileLock {
  /** Whether the file at the path is still the one this process made. Synchronous: 3 µs on a disk that answers. */
  held(): boolean
  release(): Promise<void>
}

/** Someone else holds the lock. The message names them and is safe to print. */
export class LockTaken extends Error {
  override readonly name = 'LockTaken'
}

/** How often a holder touches its lock, and for how long an untouched one is taken for alive. */
const HEARTBEAT_MS = 2_000
const STALE_MS = 15_000
const POLL_MS = 250
/** More than waiting out a stale lock takes; ends a race that goes on. */
const MAX_ATTEMPTS = 100

/**
 * Takes an exclusive lock by making a file; Node has no kernel file locks. A lock left by a process that died is taken
 * over: at once when the dead process can be told (same machine, same process-id space; the start time guards against
 * a reused id), otherwise (another host or container) when nobody has touched the file for 15 s, for which this waits.
 * @throws LockTaken when the holder lives; the file system's error when the file cannot be made.
 */
export async function takeLock(path: string, staleMs = STALE_MS): Promise<FileLock> {
  const me = await identify(process.pid)
  let quiet: { mtimeMs: number; since: number } | undefined
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const handle = await create(path)
    if (handle !== undefined) return await hold(path, handle, JSON.stringify(me))

    const found = await look(path)
    if (found === undefined) continue
    const { holder, text, mtimeMs } = found
    const dead = holder?.space === me.space ? (await identify(holder.pid)).start !== holder.start : undefined
    if (dead === false) throw new LockTaken(`${path} is held by process ${holder?.pid}`)
    if (dead === undefined) {
      if (quiet !== undefined && quiet.mtimeMs !== mtimeMs) {
        throw new LockTaken(`${path} is held by process ${holder?.pid ?? '?'} on ${holder?.host ?? 'an unknown host'}`)
      }
      quiet ??= { mtimeMs, since: performance.now() }
      if (performance.now() - quiet.since < staleMs) {
        await sleep(POLL_MS)
        continue
      }
    }
    await removeStale(path, text)
  }
  throw new LockTaken(`${path} cannot be taken`)
}

interface Holder {
  readonly pid: number
  /** When the process started, in the kernel's ticks; '' when there is none, 'alive' where that cannot be told. */
  readonly start: string
  readonly host: string
  /** Process ids mean the same only where this is the same. */
  readonly space: string
}

async function identify(pid: number): Promise<Holder> {
  const host = hostname()
  try {
    const [boot, namespace] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
    ])
    // The command's name, in parentheses, may hold anything; the start time is the 20th field after it.
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    // A zombie holds nothing any more.
    const start = fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '')
    return { pid, start, host, space: `${boot.trim()} ${namespace}` }
  } catch {
    return { pid, start: isAlive(pid) ? 'alive' : '', host, space: host }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

async function create(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined
    throw error
  }
}

async function look(path: string): Promise<{ holder: Holder | undefined; text: string; mtimeMs: number } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
    return { holder: parseHolder(text), text, mtimeMs }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Undefined for a lock whose maker has not filled it yet, or never did. */
function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null
    return typeof value?.pid === 'number' && typeof value.start === 'string' && typeof value.space === 'string'
      ? { pid: value.pid, start: value.start, space: value.space, host: String(value.host) }
      : undefined
  } catch {
    return undefined
  }
}

/** Removes the lock that was found dead, and no other: a rival may have replaced it in between. */
async function removeStale(path: string, text: string): Promise<void> {
  const aside = `${path}.${crypto.randomUUID()}`
  try {
    await rename(path, aside)
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, path)
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(errorCode(error) ?? '')) throw error
  }
  await unlink(aside).catch(() => undefined)
}

/** The handle stays open, so that the file's inode number cannot be given to another one. */
async function hold(path: string, handle: FileHandle, text: string): Promise<FileLock> {
  try {
    await handle.writeFile(text)
  } catch (error) {
    await unlink(path).catch(() => undefined)
    await handle.close()
    throw error
  }
  const made = await handle.stat()
  const heartbeat = setInterval(() => {
    const now = new Date()
    handle.utimes(now, now).catch(() => undefined)
  }, HEARTBEAT_MS)
  heartbeat.unref()

  function held(): boolean {
    const now = statSync(path, { throwIfNoEntry: false })
    return now !== undefined && now.ino === made.ino && now.dev === made.dev
  }
  return {
    held,
    async release() {
      clearInterval(heartbeat)
      if (held()) await unlink(path).catch(() => undefined)
      await handle.close()
    },
  }
}

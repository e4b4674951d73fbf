import { stat } from 'node:fs/promises'

const POLL_MS = 1000

export interface FileWatch {
  /** Looks no more. A callback in progress goes on. */
  close(): void
}

/**
 * Calls back when one of the files was written or replaced: looked for every second (by inode, size and times), which
 * works on every volume, links of Kubernetes secrets included; and at once on SIGHUP. Callbacks do not overlap, and one that
 * fails is called again with the next change only.
 * @param changed must not reject
 */
export function watchFiles(paths: readonly string[], changed: () => Promise<void>): FileWatch {
  let seen: string | undefined
  let running: Promise<void> = Promise.resolve()
  let closed = false

  const look = async (isAsked: boolean): Promise<void> => {
    const now = (await Promise.all(paths.map(stateOf))).join()
    const isNew = seen !== undefined && now !== seen
    seen = now
    if ((isNew || isAsked) && !closed) await changed()
  }
  const queue = (isAsked: boolean): void => {
    running = running.then(() => look(isAsked))
  }
  const onHangUp = (): void => queue(true)

  queue(false)
  const timer = setInterval(queue, POLL_MS, false)
  timer.unref()
  process.on('SIGHUP', onHangUp)
  return {
    close() {
      closed = true
      clearInterval(timer)
      process.off('SIGHUP', onHangUp)
    },
  }
}

/** A file that is not there has a state too: the one that comes in its place is new. */
async function stateOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path)
    return `${ino}:${size}:${mtimeMs}:${ctimeMs}`
  } catch {
    return 'none'
  }
}

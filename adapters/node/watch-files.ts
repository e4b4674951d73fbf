import { stat } from 'node:fs/promises'

const POLL_MS = 1000

/**
 * Tells when files were written or replaced. They are looked at every second (inode, size and times), which works on every
 * volume, links of Kubernetes secrets included; and on SIGHUP at once, changed or not.
 *
 * Make it before the files are read and start it after: then no change in between is missed.
 */
export class FileWatch {
  readonly #paths: readonly string[]
  #state: string
  #timer: NodeJS.Timeout | undefined
  #onHangUp: (() => void) | undefined
  #running: Promise<void> = Promise.resolve()

  static async of(paths: readonly string[]): Promise<FileWatch> {
    return new FileWatch(paths, await stateOf(paths))
  }

  private constructor(paths: readonly string[], state: string) {
    this.#paths = paths
    this.#state = state
  }

  /**
   * Calls back after each change. Calls do not overlap; one that could not use the files is repeated with the next change.
   * @param changed must not reject
   */
  start(changed: () => Promise<void>): void {
    const look = async (isAsked: boolean): Promise<void> => {
      const state = await stateOf(this.#paths)
      if ((state === this.#state && !isAsked) || this.#timer === undefined) return
      this.#state = state
      await changed()
    }
    const queue = (isAsked: boolean): void => {
      this.#running = this.#running.then(() => look(isAsked))
    }
    this.#timer = setInterval(queue, POLL_MS, false)
    this.#timer.unref()
    this.#onHangUp = () => queue(true)
    process.on('SIGHUP', this.#onHangUp)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#onHangUp) process.off('SIGHUP', this.#onHangUp)
  }
}

/** A file that is not there has a state too: the one that comes in its place is new. */
async function stateOf(paths: readonly string[]): Promise<string> {
  const states = paths.map(async path => {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(path)
      return `${ino}:${size}:${mtimeMs}:${ctimeMs}`
    } catch {
      return 'none'
    }
  })
  return (await Promise.all(states)).join()
}

import { stat } from 'node:fs/promises'

const POLL_MS = 1000
/** For files that were there and could not be read, or will be good only later. */
const RETRY_MS = 60_000

/**
 * Tells when files were written or replaced. They are looked at every second (inode, size and times), which works on every
 * volume, links of Kubernetes secrets included; and on SIGHUP at once, changed or not.
 *
 * Make it before the files are read and start it after: then no change in between is missed.
 */
export class FileWatch {
  readonly #paths: readonly string[]
  readonly #retryMs: number
  #state: string
  #timer: NodeJS.Timeout | undefined
  #onHangUp: (() => void) | undefined
  #running: Promise<void> = Promise.resolve()

  static async of(paths: readonly string[], retryMs = RETRY_MS): Promise<FileWatch> {
    return new FileWatch(paths, await stateOf(paths), retryMs)
  }

  private constructor(paths: readonly string[], state: string, retryMs: number) {
    this.#paths = paths
    this.#state = state
    this.#retryMs = retryMs
  }

  /**
   * Calls back after each change. Calls do not overlap; one that could not use the files is repeated with the next change,
   * and every minute.
   * @param changed tells whether the files could be used; must not reject
   */
  start(changed: () => Promise<boolean>): void {
    let retryAtMs = Number.POSITIVE_INFINITY
    const look = async (isAsked: boolean): Promise<void> => {
      const state = await stateOf(this.#paths)
      const isDue = state !== this.#state || isAsked || performance.now() >= retryAtMs
      if (!isDue || this.#timer === undefined) return
      this.#state = state
      retryAtMs = (await changed()) ? Number.POSITIVE_INFINITY : performance.now() + this.#retryMs
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

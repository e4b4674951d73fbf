import { write, writeSync } from 'node:fs'

/** Text that may wait for a slow reader of the logs. Beyond it lines are dropped and counted. */
const MAX_WAITING = 1024 * 1024

/**
 * Appends lines to a file descriptor without ever blocking or throwing: what is logged in one turn is written in one
 * piece, and while a write is under way the next lines wait, up to a bound.
 */
export class LineWriter {
  readonly #fd: number
  readonly #onDropped: () => void
  #waiting = ''
  #writing = false
  #scheduled = false

  constructor(fd: number, onDropped: () => void) {
    this.#fd = fd
    this.#onDropped = onDropped
    process.on('exit', this.#flushAtExit)
  }

  line(text: string): void {
    if (this.#waiting.length + text.length > MAX_WAITING) return this.#onDropped()
    this.#waiting += `${text}\n`
    if (this.#scheduled || this.#writing) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#writeWaiting()
    })
  }

  #writeWaiting(): void {
    if (this.#waiting === '') return
    const bytes = Buffer.from(this.#waiting)
    this.#waiting = ''
    this.#writing = true
    this.#write(bytes)
  }

  #write(bytes: Buffer): void {
    write(this.#fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') return void setTimeout(() => this.#write(bytes), 10)
      if (!error && written < bytes.length) return this.#write(bytes.subarray(written))
      if (error) this.#onDropped()
      this.#writing = false
      this.#writeWaiting()
    })
  }

  readonly #flushAtExit = (): void => {
    try {
      writeSync(this.#fd, this.#waiting)
    } catch {
      // Nobody reads any more.
    }
  }
}

import { formatBytes } from './format-bytes.ts'

const EVERY_MS = 200

/** Shows on a terminal how much has been read; elsewhere nothing. */
export class ReadProgress {
  private total = 0
  private read = 0
  private shownAt = 0
  private readonly started = performance.now()
  private readonly stream = process.stderr

  begin(total: number): void {
    this.total = total
  }

  add(bytes: number): void {
    this.read += bytes
    const now = performance.now()
    if (!this.stream.isTTY || now - this.shownAt < EVERY_MS) return
    this.shownAt = now
    const speed = `${formatBytes((this.read / (now - this.started)) * 1000)}/s`
    this.stream.write(`\r\u001B[K${formatBytes(this.read)} of ${formatBytes(this.total)}, ${speed}`)
  }

  /** Takes the line away. Returns the time since the beginning in seconds. */
  end(): number {
    if (this.stream.isTTY && this.shownAt > 0) this.stream.write('\r\u001B[K')
    return (performance.now() - this.started) / 1000
  }
}

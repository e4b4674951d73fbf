import { write } from 'node:fs'
import { type Destination, encodeAll } from '../../../src/audit/forward/destination.ts'

const STDOUT = 1
const BUSY_MS = 10

/**
 * Standard output, for whatever collects what a container prints: the records as they stand in the log. A reader that stops
 * reading stops the forwarding, and nothing else.
 */
export function standardOutput(): Destination {
  /** What is being written: a line that was begun is always ended, also past the deadline of its batch. */
  let writing: Promise<void> | undefined
  return {
    async deliver(records, signal) {
      const text = await encodeAll(records, ({ line }) => `${line}\n`)
      try {
        if (writing === undefined) {
          writing = writeWhole(Buffer.from(text)).finally(() => {
            writing = undefined
          })
          await before(signal, writing)
          return { kind: 'taken' }
        }
        await before(signal, writing)
        return { kind: 'failed', reason: 'what was written before has only now been read' }
      } catch (error) {
        return { kind: 'failed', reason: `standard output: ${error instanceof Error ? error.message : 'unknown'}` }
      }
    },
    close: async () => undefined,
  }
}

async function before(signal: AbortSignal, done: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const abort = () => late.reject(new Error('nobody reads it'))
  signal.addEventListener('abort', abort, { once: true })
  // Its end may come long after this one.
  done.catch(() => undefined)
  try {
    if (signal.aborted) abort()
    await Promise.race([done, late.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function writeWhole(bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (rest: Buffer) =>
      write(STDOUT, rest, (error, written) => {
        if (error?.code === 'EAGAIN') return void setTimeout(next, BUSY_MS, rest)
        if (error) return reject(error)
        if (written < rest.length) return next(rest.subarray(written))
        resolve()
      })
    next(bytes)
  })
}

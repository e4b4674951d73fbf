import type { IncomingMessage } from 'node:http'
import type { BodyResult } from '../../src/ports/transport.ts'

const NO_BYTES = new Uint8Array(0)

/**
 * Reads a request body without Web streams. Holds at most `limit` bytes; what is over the limit or late is left
 * unread, for the answer to close the connection over.
 * @param timeoutMs from now until the last byte
 */
export function readBody(incoming: IncomingMessage, limit: number, timeoutMs: number): Promise<BodyResult> {
  const announced = Number(incoming.headers['content-length'] ?? 0)
  if (announced > limit) return Promise.resolve({ ok: false, reason: 'too_large' })
  if (incoming.destroyed) return Promise.resolve({ ok: false, reason: 'aborted' })
  if (incoming.complete) return Promise.resolve(readBuffered(incoming, limit))

  return new Promise(resolve => {
    const chunks: Uint8Array[] = []
    let length = 0
    const settle = (result: BodyResult): void => {
      clearTimeout(timer)
      incoming.off('data', onData).off('end', onEnd).off('close', onClose)
      resolve(result)
    }
    const refuse = (reason: 'too_large' | 'timeout'): void => {
      incoming.pause()
      settle({ ok: false, reason })
    }
    const onData = (chunk: Uint8Array): void => {
      length += chunk.byteLength
      if (length > limit) refuse('too_large')
      else chunks.push(chunk)
    }
    const onEnd = (): void => settle({ ok: true, bytes: joined(chunks) })
    const onClose = (): void => settle({ ok: false, reason: 'aborted' })
    const timer = setTimeout(() => refuse('timeout'), timeoutMs)
    incoming.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}

/** The whole message has been parsed already, as is usual once a first `await` is past: nothing to wait for. */
function readBuffered(incoming: IncomingMessage, limit: number): BodyResult {
  const chunks: Uint8Array[] = []
  let length = 0
  // Node gives all of it at once, Deno a chunk at a time.
  for (;;) {
    const chunk = incoming.read() as Uint8Array | null
    if (chunk === null) return { ok: true, bytes: joined(chunks) }
    length += chunk.byteLength
    if (length > limit) return { ok: false, reason: 'too_large' }
    chunks.push(chunk)
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : chunks.length === 0 ? NO_BYTES : Buffer.concat(chunks)
}

import type { BodyResult } from '../../src/ports/transport.ts'

/**
 * How long the rest of a refused body is thrown away before the refusal is sent. Bun resets a connection whose request
 * has not been read, and the client would never see why it was refused.
 */
const LINGER_MS = 500

const NO_BYTES = new Uint8Array(0)

type Reader = ReadableStreamDefaultReader<Uint8Array>

/**
 * Reads a request body, holding at most `limit` bytes.
 * @param timeoutMs from now until the last byte
 */
export async function readBody(request: Request, limit: number, timeoutMs: number): Promise<BodyResult> {
  if (!request.body) return { ok: true, bytes: NO_BYTES }
  const header = request.headers.get('content-length')
  if (header === null) return readCounted(request.body.getReader(), limit, timeoutMs)
  if (Number(header) > limit) {
    await discard(request.body.getReader())
    return { ok: false, reason: 'too_large' }
  }
  // The length is known and bounded, so Bun may collect the bytes itself.
  return withDeadline(
    request.bytes().then(
      bytes => ({ ok: true, bytes }) as const,
      () => ({ ok: false, reason: 'aborted' }) as const,
    ),
    timeoutMs,
  )
}

async function readCounted(reader: Reader, limit: number, timeoutMs: number): Promise<BodyResult> {
  const result = await withDeadline(collect(reader, limit), timeoutMs)
  if (!result.ok && result.reason === 'too_large') await discard(reader)
  else if (!result.ok) reader.cancel().catch(ignore)
  return result
}

async function collect(reader: Reader, limit: number): Promise<BodyResult> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { ok: true, bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) }
      length += value.byteLength
      if (length > limit) return { ok: false, reason: 'too_large' }
      chunks.push(value)
    }
  } catch {
    return { ok: false, reason: 'aborted' }
  }
}

async function discard(reader: Reader): Promise<void> {
  const until = performance.now() + LINGER_MS
  const timer = setTimeout(() => void reader.cancel().catch(ignore), LINGER_MS)
  try {
    while (performance.now() < until && !(await reader.read()).done);
  } catch {
    // The client has gone, which ends the reading as well.
  } finally {
    clearTimeout(timer)
    reader.cancel().catch(ignore)
  }
}

async function withDeadline(result: Promise<BodyResult>, timeoutMs: number): Promise<BodyResult> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<BodyResult>(resolve => {
    timer = setTimeout(() => resolve({ ok: false, reason: 'timeout' }), timeoutMs)
  })
  const first = await Promise.race([result, late])
  clearTimeout(timer)
  return first
}

function ignore(): void {
  // Cancelling what has already ended or failed.
}

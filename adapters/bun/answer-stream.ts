import type { AnswerSink, AnswerSource } from '../../src/ports/transport.ts'

/** Bytes that may wait for a slow client before the source is told to stop. */
const HIGH_WATER_BYTES = 64 * 1024

/**
 * Turns a source into the body of a Response. Bun sends the head before the first chunk and asks for more only as the
 * client reads. Whatever happens, the source sees one natural end or one `cancel`.
 * @param gone aborts when the client goes away: Bun cancels the stream only once it has begun to read from it
 * @param ended called once, at the natural end
 */
export function answerStream(source: AnswerSource, gone: AbortSignal, ended: () => void): ReadableStream<Uint8Array> {
  let over = false
  let blocked = false
  const cancel = (): void => {
    if (over) return
    over = true
    source.cancel()
  }
  gone.addEventListener('abort', cancel, { once: true })

  const sinkOf = (controller: ReadableStreamDefaultController<Uint8Array>): AnswerSink => ({
    write(chunk) {
      if (over) return false
      controller.enqueue(chunk)
      blocked = (controller.desiredSize ?? 0) <= 0
      return !blocked
    },
    end() {
      if (over) return
      over = true
      gone.removeEventListener('abort', cancel)
      ended()
      controller.close()
    },
  })

  return new ReadableStream<Uint8Array>(
    {
      start: controller => source.start(sinkOf(controller)),
      pull() {
        if (!blocked || over) return
        blocked = false
        source.resume()
      },
      cancel,
    },
    { highWaterMark: HIGH_WATER_BYTES, size: chunk => chunk.byteLength },
  )
}

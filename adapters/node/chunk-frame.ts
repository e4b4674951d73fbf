/** The end of a chunked body without trailers. */
export const LAST_CHUNK = '0\r\n\r\n'

/** One chunk in HTTP/1.1's chunked coding, as a single buffer. `chunk` must not be empty: that would end the body. */
export function chunkFrame(chunk: Uint8Array): Uint8Array {
  const head = `${chunk.byteLength.toString(16)}\r\n`
  const frame = Buffer.allocUnsafe(head.length + chunk.byteLength + 2)
  frame.write(head, 0, 'latin1')
  frame.set(chunk, head.length)
  frame.write('\r\n', head.length + chunk.byteLength, 'latin1')
  return frame
}

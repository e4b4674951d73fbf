/** The end of a chunked body without trailers. */
export const LAST_CHUNK = '0\r\n\r\n'

const CR = 0x0d
const LF = 0x0a

/** One chunk in HTTP/1.1's chunked coding, as a single buffer. `chunk` must not be empty: that would end the body. */
export function chunkFrame(chunk: Uint8Array): Uint8Array {
  const { byteLength } = chunk
  const digits = Math.floor((31 - Math.clz32(byteLength)) / 4) + 1
  const frame = Buffer.allocUnsafe(digits + byteLength + 4)
  for (let at = digits - 1, left = byteLength; at >= 0; at--, left >>>= 4) frame[at] = HEX[left & 0xf] as number
  frame[digits] = CR
  frame[digits + 1] = LF
  frame.set(chunk, digits + 2)
  frame[digits + 2 + byteLength] = CR
  frame[digits + 3 + byteLength] = LF
  return frame
}

const HEX = Buffer.from('0123456789abcdef')

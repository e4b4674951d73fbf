import { CommandFailure } from './failure.ts'

/** Reads standard input as UTF-8 text, at most `maxBytes` of it. */
export async function readStdin(maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > maxBytes) throw new CommandFailure(`standard input has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

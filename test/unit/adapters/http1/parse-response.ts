import { ResponseParser } from '../../../../adapters/node/http1/response-parser.ts'

/** What the parser made of one answer. */
export interface Parsed {
  readonly outcome: 'complete' | 'fault' | 'open'
  readonly fault?: string
  readonly status?: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly keepAlive: boolean
  readonly excess: boolean
  /** Body bytes that each read brought. */
  readonly parts: readonly number[]
}

/**
 * Reads the bytes, cut at the given places, from one buffer that is used again for each read, as a connection does.
 * @param ends whether the server then closes the connection
 */
export function parseResponse(bytes: Buffer, cuts: readonly number[] = [], ends = true): Parsed {
  const parser = new ResponseParser()
  const shared = Buffer.alloc(bytes.length)
  const bodies: Uint8Array[] = []
  const places = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length]
  let head = parser.head
  for (let i = 1; i < places.length; i += 1) {
    const length = bytes.copy(shared, 0, places[i - 1], places[i])
    parser.read(shared, length)
    shared.fill('#')
    head ??= parser.head
    if (parser.body) bodies.push(parser.body)
    parser.body = undefined
  }
  const isComplete = parser.fault === undefined && (ends ? parser.end() : parser.complete)
  return {
    outcome: parser.fault === undefined ? (isComplete ? 'complete' : 'open') : 'fault',
    ...(parser.fault === undefined ? {} : { fault: parser.fault }),
    ...(head ? { status: head.status } : {}),
    headers: { ...head?.headers },
    body: Buffer.concat(bodies),
    keepAlive: parser.keepAlive,
    excess: parser.excess,
    parts: bodies.map(({ byteLength }) => byteLength),
  }
}

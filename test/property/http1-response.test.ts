import { request } from 'node:http'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Parsed, parseResponse } from '../unit/adapters/http1/parse-response.ts'

const text = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength })

const field = fc
  .tuple(text("abcXYZ019!#$%&'*+-.^_`|~", 1, 8), text('abc 019:;,"=\t\xe9~', 0, 20), text(' \t', 0, 2))
  .map(([name, value, blank]) => `x-${name}:${blank}${value}\r\n`)
const fields = fc.array(field, { maxLength: 6 }).map(lines => lines.join(''))
const reason = fc.constantFrom('', ' ', ' OK', ' Not \xe9 OK')
const informational = fc.tuple(fc.constantFrom(100, 102, 103), reason, fields).map(([status, words, lines]) => {
  return `HTTP/1.1 ${status}${words}\r\n${lines}\r\n`
})
const bytes = fc.uint8Array({ maxLength: 60 }).map(data => Buffer.from(data).toString('latin1'))
const extension = fc.constantFrom('', '', ';a', ';a=b', ';a="b c";d')
const chunk = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), extension, fc.boolean(), fc.constantFrom('', '0', '00'))
  .map(([data, ext, isUpper, zeros]) => {
    const size = data.length.toString(16)
    return `${zeros}${isUpper ? size.toUpperCase() : size}${ext}\r\n${Buffer.from(data).toString('latin1')}\r\n`
  })
const body = fc.oneof(
  bytes.map(data => ({ header: `content-length: ${data.length}\r\n`, data })),
  fc.tuple(fc.array(chunk, { maxLength: 5 }), fields, extension).map(([chunks, trailers, ext]) => ({
    header: 'Transfer-Encoding: chunked\r\n',
    data: `${chunks.join('')}0${ext}\r\n${trailers}\r\n`,
  })),
  bytes.map(data => ({ header: '', data })),
)
const final = fc
  .tuple(
    fc.constantFrom(200, 201, 302, 404, 503),
    reason,
    fields,
    fields,
    body,
    fc.constantFrom('', 'connection: close\r\n'),
  )
  .map(([status, words, before, after, { header, data }, connection]) => {
    return `HTTP/1.1 ${status}${words}\r\n${before}${header}${connection}${after}\r\n${data}`
  })
const bodiless = fc
  .tuple(fc.constantFrom(204, 304), reason, fields)
  .map(([status, words, lines]) => `HTTP/1.1 ${status}${words}\r\n${lines}\r\n`)
/** A valid answer, one character a byte, on a connection that closes behind it. */
const answer = fc
  .tuple(fc.array(informational, { maxLength: 2 }), fc.oneof({ weight: 8, arbitrary: final }, bodiless))
  .map(([first, last]) => first.join('') + last)
const cuts = fc.array(fc.nat(600), { maxLength: 8 })

interface Known {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly isComplete: boolean
}

/** What node:http's own strict client makes of the bytes, over a connection without a network. */
function readByNode(sent: Buffer): Promise<Known> {
  return new Promise(resolve => {
    const connection = new Duplex({
      read: () => {},
      write(_chunk, _encoding, done) {
        done()
        this.push(sent)
        this.push(null)
      },
    })
    let status: number | undefined
    let headers: Record<string, string> = {}
    let isComplete = false
    const parts: Buffer[] = []
    const call = request({ createConnection: () => connection, headers: { host: 'x' } })
    call.on('response', response => {
      status = response.statusCode
      headers = joined(response.rawHeaders)
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        isComplete = response.complete
      })
      response.on('error', () => {})
    })
    call.on('upgrade', () => call.destroy())
    call.on('error', () => {})
    call.on('close', () => setImmediate(() => resolve({ status, headers, body: Buffer.concat(parts), isComplete })))
    call.end()
  })
}

function joined(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    headers[name] = name in headers ? `${headers[name]}, ${raw[i + 1]}` : (raw[i + 1] as string)
  }
  return headers
}

const essence = ({ status, headers, body: data, outcome }: Parsed) => ({ status, headers, body: data, outcome })
const known = (parsed: Parsed): Known => ({
  status: parsed.status,
  headers: parsed.headers,
  body: parsed.body,
  isComplete: parsed.outcome === 'complete',
})

describe('a valid answer', () => {
  it('is read the same wherever it is cut', () => {
    fc.assert(
      fc.property(answer, cuts, (sent, places) => {
        const whole = parseResponse(Buffer.from(sent, 'latin1'))
        expect(whole).toMatchObject({ outcome: 'complete', excess: false })
        expect(essence(parseResponse(Buffer.from(sent, 'latin1'), places))).toEqual(essence(whole))
      }),
      { numRuns: 1000 },
    )
  })

  it('is read the same byte by byte', () => {
    fc.assert(
      fc.property(answer, sent => {
        const data = Buffer.from(sent, 'latin1')
        const everywhere = Array.from(data, (_, place) => place)
        expect(essence(parseResponse(data, everywhere))).toEqual(essence(parseResponse(data)))
      }),
      { numRuns: 200 },
    )
  })

  it("is what node:http's client reads", async () => {
    await fc.assert(
      fc.asyncProperty(answer, async sent => {
        const data = Buffer.from(sent, 'latin1')
        expect(known(parseResponse(data))).toEqual(await readByNode(data))
      }),
      { numRuns: 500 },
    )
  })
})

const splinter = fc.oneof(
  fc.constantFrom('\r', '\n', '\r\n', '\r\n\r\n', '\0', ' ', '\t', ':', ';', ',', '0', 'f', '\xff', '"', '='),
  fc.constantFrom(
    'content-length: 3\r\n',
    'transfer-encoding: chunked\r\n',
    'content-length: 0\r\n',
    'connection: close\r\n',
  ),
  fc.uint8Array({ minLength: 1, maxLength: 4 }).map(data => Buffer.from(data).toString('latin1')),
)
/** Puts something in, in place of up to three bytes. */
const damage = fc.record({ place: fc.nat(300), removed: fc.nat(3), put: fc.oneof(fc.constant(''), splinter) })

const damaged = fc.tuple(answer, fc.array(damage, { minLength: 1, maxLength: 3 })).map(([sent, changes]) =>
  changes.reduce((before, { place, removed, put }) => {
    const at = place % (before.length + 1)
    return before.slice(0, at) + put + before.slice(at + removed)
  }, sent),
)

describe('a damaged answer', () => {
  it("is never taken for whole where node:http's strict client refuses it, nor read as another", async () => {
    let taken = 0
    await fc.assert(
      fc.asyncProperty(damaged, async sent => {
        const data = Buffer.from(sent, 'latin1')
        const own = parseResponse(data)
        if (own.outcome !== 'complete' || own.excess) return
        taken += 1
        expect(known(own)).toEqual(await readByNode(data))
      }),
      { numRuns: 3000 },
    )
    expect(taken).toBeGreaterThan(300)
  })

  it('is read the same wherever it is cut, to the same fault', () => {
    fc.assert(
      fc.property(damaged, cuts, (sent, places) => {
        const data = Buffer.from(sent, 'latin1')
        const whole = parseResponse(data)
        const cut = parseResponse(data, places)
        expect(cut.outcome).toBe(whole.outcome)
        expect(cut.body).toEqual(whole.body)
      }),
      { numRuns: 1000 },
    )
  })

  it('of any bytes ends without an exception, and passes no more on than came', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('', 'HTTP/1.1 200 OK\r\n\r\n', 'HTTP/1.1 '),
        (noise, front) => {
          const data = Buffer.concat([Buffer.from(front), noise])
          expect(parseResponse(data).body.length).toBeLessThanOrEqual(data.length)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

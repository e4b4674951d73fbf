import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'

type Json = Record<string, unknown>

interface Answer {
  readonly status: number
  readonly body?: Json
  readonly headers?: Record<string, string>
}

/** A service that takes records, written after the documentation of the real one. */
export interface Siem extends AsyncDisposable {
  readonly url: string
  /** How often each record came, by its id, and in the order of first arrival. */
  readonly records: Map<string, number>
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly records: number }[]
  /** While set, it answers this in place of doing its work. */
  outage: Answer | undefined
  /** The longest body that it takes, in bytes. */
  maxBytes: number
  /** Ms until it answers. */
  delayMs: number
}

type Kind = 'splunk' | 'elasticsearch' | 'otlp' | 'http'

/** Starts one. With `tls`, over https. */
export async function startSiem(kind: Kind, token: string, tls?: ServerOptions): Promise<Siem> {
  const take = KINDS[kind](token)
  const handle = async (path: string, headers: IncomingHttpHeaders, text: string): Promise<Answer> => {
    if (siem.delayMs > 0) await new Promise(resolve => setTimeout(resolve, siem.delayMs))
    if (siem.outage) return siem.outage
    if (Buffer.byteLength(text) > siem.maxBytes) return { status: 413 }
    const { ids, answer } = take(path, headers, text, siem.records)
    siem.requests.push({ path, headers, records: ids.length })
    for (const id of ids) siem.records.set(id, (siem.records.get(id) ?? 0) + 1)
    return answer
  }
  const server = (tls ? createTlsServer(tls) : createServer()).on('request', (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      handle(request.url ?? '', request.headers, text).then(
        ({ status, body, headers }) => {
          response.writeHead(status, { 'content-type': 'application/json', ...headers })
          response.end(body && JSON.stringify(body))
        },
        // What is not as the service wants it: the test sees a reset, and that nothing arrives.
        () => response.destroy(),
      )
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const siem: Siem = {
    url: `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${port}`,
    records: new Map(),
    requests: [],
    outage: undefined,
    maxBytes: 1 << 30,
    delayMs: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return siem
}

type Take = (
  path: string,
  headers: IncomingHttpHeaders,
  text: string,
  known: ReadonlyMap<string, number>,
) => { ids: string[]; answer: Answer }

const none = (status: number, body: Json) => ({ ids: [], answer: { status, body } })

const KINDS: Record<Kind, (token: string) => Take> = {
  splunk: token => (path, headers, text) => {
    if (headers.authorization !== `Splunk ${token}`) return none(403, { text: 'Invalid token', code: 4 })
    if (path !== '/services/collector/event') return none(404, { text: 'The requested URL was not found', code: 404 })
    const ids: string[] = []
    for (const [index, line] of text.trimEnd().split('\n').entries()) {
      const { event, time } = JSON.parse(line) as { event?: { hash: string }; time?: number }
      if (event === undefined || typeof time !== 'number')
        return none(400, { text: 'Event field is required', code: 12, 'invalid-event-number': index })
      ids.push(event.hash)
    }
    return { ids, answer: { status: 200, body: { text: 'Success', code: 0 } } }
  },
  // A thread pool that is full now and then: every third request leaves its last items out.
  elasticsearch: token => {
    let requests = 0
    return (path, headers, text, known) => {
      if (headers.authorization !== `ApiKey ${token}`) return none(401, { error: { type: 'security_exception' } })
      if (!path.startsWith('/audit-ai/_bulk')) return none(404, { error: { type: 'index_not_found_exception' } })
      const lines = text.trimEnd().split('\n')
      const isBusy = ++requests % 3 === 0
      interface Item {
        readonly id: string
        readonly status: number
        readonly type?: string
      }
      const items = lines.flatMap((line, at): Item[] => {
        if (at % 2 === 1) return []
        const id = (JSON.parse(line) as { create: { _id: string } }).create._id
        const document = JSON.parse(lines[at + 1] ?? '') as Json
        if (typeof document['@timestamp'] !== 'string' || document['hash'] !== id) throw new Error('no such document')
        if (isBusy && at >= lines.length - 2) return [{ id, status: 429, type: 'es_rejected_execution_exception' }]
        return known.has(id) ? [{ id, status: 409, type: 'version_conflict_engine_exception' }] : [{ id, status: 201 }]
      })
      const body = {
        errors: items.some(({ status }) => status !== 201),
        items: items.map(({ status, type }) => ({
          create: { status, ...(type !== undefined && { error: { type, reason: 'because' } }) },
        })),
      }
      return { ids: items.filter(({ status }) => status === 201).map(({ id }) => id), answer: { status: 200, body } }
    }
  },
  otlp: token => (path, headers, text) => {
    if (headers.authorization !== `Bearer ${token}`) return none(401, { code: 16, message: 'unauthenticated' })
    if (path !== '/v1/logs' || headers['content-type'] !== 'application/json') return none(415, {})
    interface Value {
      readonly key: string
      readonly value: { readonly stringValue?: string }
    }
    const { resourceLogs } = JSON.parse(text) as {
      resourceLogs: { scopeLogs: { logRecords: { timeUnixNano: string; attributes: Value[] }[] }[] }[]
    }
    const logs = resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
    const ids = logs.map(({ timeUnixNano, attributes }) => {
      if (!/^\d{19}$/.test(timeUnixNano)) throw new Error('no such time')
      return attributes.find(({ key }) => key === 'log.record.uid')?.value.stringValue ?? ''
    })
    return { ids, answer: { status: 200, body: {} } }
  },
  http: token => (_path, headers, text) => {
    if (headers.authorization !== `Bearer ${token}`) return none(401, {})
    const lines = text.trimEnd().split('\n')
    return { ids: lines.map(line => (JSON.parse(line) as { hash: string }).hash), answer: { status: 204 } }
  },
}

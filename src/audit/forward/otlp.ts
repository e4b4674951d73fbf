import type { LoggedRecord } from '../../ports/forward-log.ts'
import type { Posted } from '../../validators/post.ts'
import { type Delivery, encodeAll, oneLine } from './destination.ts'
import { jsonOf, readStatus } from './http-answer.ts'
import type { Speak } from './http-destination.ts'
import { membersOf, timeOf } from './record-line.ts'

export interface OtlpOptions {
  /** With `/v1/logs`. */
  readonly url: string
  /** With what authenticates. */
  readonly headers: Readonly<Record<string, string>>
  /** Where the gateway runs. */
  readonly host: string
}

/**
 * Members that become attributes: semantic conventions where they have a name. By `log.record.uid` receivers tell
 * duplicates; the record as a whole is the body.
 */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  hash: 'log.record.uid',
  seq: 'sallyport.seq',
  instance: 'service.instance.id',
  requestId: 'sallyport.request_id',
  outcome: 'sallyport.outcome',
  action: 'sallyport.action',
  target: 'sallyport.target',
  tokenId: 'sallyport.token_id',
  subject: 'enduser.id',
  team: 'sallyport.team',
  app: 'sallyport.app',
  env: 'deployment.environment.name',
  method: 'http.request.method',
  route: 'http.route',
  status: 'http.response.status_code',
  errorCode: 'error.type',
  model: 'gen_ai.request.model',
  upstream: 'server.address',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  latencyMs: 'sallyport.latency_ms',
}

/** Severity numbers of OpenTelemetry. */
const SEVERITIES: Readonly<Record<string, readonly [number, string]>> = {
  failed: [17, 'ERROR'],
  refused: [13, 'WARN'],
}
const INFO = [9, 'INFO'] as const

/** OTLP over HTTP, as JSON: int64 are strings, as its mapping to JSON wants them. */
export function otlp({ url, headers, host }: OtlpOptions): Speak {
  const call = { method: 'POST' as const, url, headers: { ...headers, 'content-type': 'application/json' } }
  const resource = JSON.stringify({
    attributes: [attribute('service.name', 'sallyport'), attribute('host.name', host)],
  })
  const before = `{"resourceLogs":[{"resource":${resource},"scopeLogs":[{"scope":{"name":"sallyport.audit"},"logRecords":[`
  return async function speak(records, send) {
    let separator = ''
    const encode = (record: LoggedRecord) => {
      const text = separator + logRecord(record)
      separator = ','
      return text
    }
    const body = `${before}${await encodeAll(records, encode)}]}]}]}`
    return readExport(await send({ ...call, body }), records.length)
  }
}

function logRecord({ line }: LoggedRecord): string {
  const record = membersOf(line)
  const [severityNumber, severityText] = SEVERITIES[String(record['outcome'])] ?? INFO
  const nanos = `${Date.parse(timeOf(line))}000000`
  const attributes = Object.entries(ATTRIBUTES).flatMap(([member, key]) => {
    const value = record[member]
    return value === undefined ? [] : [attribute(key, value)]
  })
  return JSON.stringify({
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityNumber,
    severityText,
    eventName: 'sallyport.audit.record',
    body: { stringValue: line },
    attributes,
  })
}

function attribute(key: string, value: unknown) {
  if (typeof value !== 'number') return { key, value: { stringValue: String(value) } }
  return { key, value: Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value } }
}

/**
 * `{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"…"}}`: so many were refused, which is not said, and they must not
 * be sent again. All of them is a service that takes nothing.
 */
function readExport(posted: Posted, count: number): Delivery {
  const read = readStatus(posted)
  if (read.kind !== 'taken') return read
  const partial = jsonOf(posted)?.['partialSuccess'] as Record<string, unknown> | undefined
  const rejected = Number(partial?.['rejectedLogRecords'] ?? 0)
  if (!(rejected > 0)) return read
  const reason = `partial success: ${oneLine(partial?.['errorMessage'])}`
  return rejected >= count ? { kind: 'refused', reason } : { kind: 'taken', lost: { records: rejected, reason } }
}

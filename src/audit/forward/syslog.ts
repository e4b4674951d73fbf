import type { LoggedRecord } from '../../ports/forward-log.ts'
import { type Destination, encodeAll } from './destination.ts'
import { membersOf, timeOf } from './record-line.ts'

export interface SyslogOptions {
  /** Where the gateway runs. */
  readonly host: string
  /** 13 is "log audit". */
  readonly facility: number
  /** The name of the structured data, with an enterprise number (RFC 5424, 7.2.2). */
  readonly structuredDataId: string
  /** The longest message that the receiver takes whole, in bytes. */
  readonly maxMessageBytes: number
}

/** Writes bytes over one connection, closes it, and waits until the receiver has read all of them and closed it too. */
export type SendBytes = (bytes: Uint8Array, signal: AbortSignal) => Promise<void>

/** Severities of RFC 5424: error, warning, notice, informational. */
const SEVERITIES: Readonly<Record<string, number>> = { failed: 3, refused: 4, aborted: 5 }
const INFORMATIONAL = 6

/** Members that receivers sort and search by, without reading JSON. */
const PARAMETERS = ['seq', 'requestId', 'team', 'app', 'env', 'model', 'outcome', 'status', 'errorCode'] as const

/** What a record that is too long is still sent with. Each is short, or was cut when it was made. */
const ESSENTIAL =
  'action app begun env errorCode hash hmacKeyId inputTokens instance latencyMs method model outcome outputTokens prev promptHmac requestId route seq status subject target team time tokenId upstream'.split(
    ' ',
  )

const encoder = new TextEncoder()

/**
 * RFC 5424 messages, framed by octet counting (RFC 5425, RFC 6587). The message is the record as it stands in the log, without
 * a byte order mark: JSON may not begin with one (RFC 8259).
 */
export function syslog(options: SyslogOptions, send: SendBytes): Destination {
  const encode = (record: LoggedRecord) => frame(messageOf(record, options))
  return {
    async deliver(records, signal) {
      try {
        await send(encoder.encode(await encodeAll(records, encode)), signal)
        return { kind: 'taken' }
      } catch (error) {
        return { kind: 'failed', reason: error instanceof Error ? error.message : 'unknown' }
      }
    },
    close: async () => undefined,
  }
}

function frame(message: string): string {
  return `${encoder.encode(message).length} ${message}`
}

/** The whole record, else its essential members, else the structured data alone. */
export function messageOf(record: LoggedRecord, options: SyslogOptions): string {
  const members = membersOf(record.line)
  const head = headerOf(record, members, options)
  const fits = (message: string) => encoder.encode(message).length <= options.maxMessageBytes
  const whole = `${head(false)} ${record.line}`
  if (fits(whole)) return whole
  const essential = Object.fromEntries(ESSENTIAL.flatMap(key => (key in members ? [[key, members[key]]] : [])))
  const shortened = `${head(true)} ${JSON.stringify(essential)}`
  return fits(shortened) ? shortened : head(true)
}

function headerOf(
  { id, line }: LoggedRecord,
  members: Readonly<Record<string, unknown>>,
  { host, facility, structuredDataId }: SyslogOptions,
): (isShortened: boolean) => string {
  const outcome = String(members['outcome'])
  const priority = facility * 8 + (SEVERITIES[outcome] ?? INFORMATIONAL)
  const start = `<${priority}>1 ${timeOf(line)} ${word(host, 255)} sallyport ${word(members['instance'] ?? '-', 128)} ${word(outcome, 32)}`
  const parameters = PARAMETERS.flatMap(key => (members[key] === undefined ? [] : [parameter(key, members[key])]))
  return isShortened => {
    const all = [parameter('id', id), ...parameters, ...(isShortened ? [parameter('shortened', 'true')] : [])]
    return `${start} [${structuredDataId} ${all.join(' ')}]`
  }
}

/** A field of the header: printable ASCII without spaces. */
function word(value: unknown, max: number): string {
  return (
    String(value)
      .replace(/[^!-~]/g, '_')
      .slice(0, max) || '-'
  )
}

/** In a value, `"`, `\` and `]` are escaped (RFC 5424, 6.3.3); a line end in it would end the message for some receivers. */
function parameter(key: string, value: unknown): string {
  const text = String(value)
    .replace(/\p{Cc}/gu, ' ')
    .replace(/["\\\]]/g, '\\$&')
  return `${key}="${text}"`
}

import type { LoggedRecord } from '../../ports/forward-log.ts'
import { type Delivery, encodeAll, oneLine } from './destination.ts'
import { jsonOf, readStatus, type Send } from './http-answer.ts'
import type { Speak } from './http-destination.ts'
import { timeOf } from './record-line.ts'

export interface SplunkOptions {
  /** Without a path. */
  readonly url: string
  readonly token: string
  /** Where the gateway runs. */
  readonly host: string
  readonly source: string
  readonly sourcetype: string
  /** Absent: the token's own. */
  readonly index?: string | undefined
  /** Whether a batch counts as taken only when it was indexed. */
  readonly ack: boolean
  /** Identifies this sender to Splunk: a UUID. Needed for acknowledgement. */
  readonly channel: string
}

/** Codes of answers with status 400 that are about the events; the others are about the token, the channel or the index. */
const BAD_EVENTS = new Set([6, 12, 13, 15])
/** Between two questions whether a batch was indexed. */
const ASK_MS = 1000

/**
 * Splunk's HTTP Event Collector. The record is the event, its `hash` the id by which duplicates are told. Answers: `{"text",
 * "code", "invalid-event-number"?, "ackId"?}`.
 */
export function splunkHec(options: SplunkOptions): Speak {
  const { url, token, channel, ack } = options
  const headers = {
    authorization: `Splunk ${token}`,
    'content-type': 'application/json',
    'x-splunk-request-channel': channel,
  }
  const about = metadata(options)
  const encode = ({ line }: LoggedRecord) => `{"time":${Date.parse(timeOf(line)) / 1000},${about},"event":${line}}\n`
  return async function speak(records, send, signal) {
    const body = await encodeAll(records, encode)
    const posted = await send({ method: 'POST', url: `${url}/services/collector/event`, headers, body })
    const answer = jsonOf(posted)
    const code = answer?.['code']
    if (posted.ok && posted.status === 400 && !BAD_EVENTS.has(code as number)) {
      return { kind: 'failed', reason: `it answered 400: ${oneLine(answer?.['text'])} (code ${oneLine(code)})` }
    }
    const read = readStatus(posted)
    if (read.kind !== 'taken') return read
    // Something else answered, a login page or a proxy: it has not taken anything.
    if (code !== 0) return { kind: 'failed', reason: 'it answered 200 without code 0: is this a Splunk HEC?' }
    if (!ack) return read
    const ackId = answer?.['ackId']
    if (typeof ackId !== 'number') {
      return { kind: 'failed', reason: 'it gave no ackId: acknowledgement is not enabled for this token' }
    }
    return await untilIndexed(ackId, call => send({ ...call, headers }), `${url}/services/collector/ack`, signal)
  }
}

/** The members of each event beside `time` and `event`. */
function metadata({ host, source, sourcetype, index }: SplunkOptions): string {
  return JSON.stringify({ host, source, sourcetype, ...(index !== undefined && { index }) }).slice(1, -1)
}

/** Asks until the batch was indexed. Splunk says `true` once, and forgets the id. */
async function untilIndexed(
  ackId: number,
  send: (call: Omit<Parameters<Send>[0], 'headers'>) => ReturnType<Send>,
  url: string,
  signal: AbortSignal,
): Promise<Delivery> {
  const body = JSON.stringify({ acks: [ackId] })
  while (!signal.aborted) {
    const posted = await send({ method: 'POST', url, body })
    const read = readStatus(posted)
    if (read.kind !== 'taken') return { kind: 'failed', reason: `asked whether it was indexed: ${read.reason}` }
    const acks = jsonOf(posted)?.['acks']
    if ((acks as Record<string, unknown> | undefined)?.[ackId] === true) return read
    await pause(signal)
  }
  return { kind: 'failed', reason: 'what it took was not indexed in time' }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(done, ASK_MS)
    signal.addEventListener('abort', done, { once: true })
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}

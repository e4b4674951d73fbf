import * as v from 'valibot'
import { CLIENT_TLS, resolveClientTls } from './client-tls-schema.ts'
import { count, list, name, oneOf, quantity, text, yesOrNo } from './fields.ts'
import type { ForwardConfig, ForwardSettings } from './forward-config.ts'
import {
  DEFAULT_FORWARD_BATCH,
  DEFAULT_FORWARD_BYTES,
  DEFAULT_FORWARD_PAUSE_MS,
  DEFAULT_FORWARD_TIMEOUT_MS,
  DEFAULT_FORWARD_WAIT_MS,
  DEFAULT_FORWARD_WARN_MS,
  DEFAULT_SYSLOG_BYTES,
  MAX_FORWARD_BATCH,
  MAX_FORWARD_BYTES,
  MAX_FORWARD_DESTINATIONS,
  MAX_FORWARD_PAUSE_MS,
  MAX_FORWARD_TIMEOUT_MS,
  MAX_FORWARD_WAIT_MS,
  MAX_SYSLOG_BYTES,
  MAX_TIMEOUT_MS,
  MIN_FORWARD_BYTES,
  MIN_SYSLOG_BYTES,
} from './limits.ts'
import { formatQuantity } from './units.ts'
import { NO_MAPPING } from './unknown-keys.ts'

const described = v.description
const duration = (min: number, max: number) => quantity('duration', min, max)

const headerName = v.pipe(text(100), v.regex(/^[A-Za-z0-9-]+$/, 'should be the name of a header field'))
const headerValue = v.pipe(text(8192), v.regex(/^[\t\x20-\x7e]*$/, 'should be printable ASCII'))

/** The keys of every kind; which go with which is checked in `forward-checks.ts`. */
const destination = v.strictObject({
  kind: oneOf(['splunk-hec', 'elasticsearch', 'otlp', 'syslog', 'http', 'stdout']),
  name: v.exactOptional(
    v.pipe(name, described('Names it in logs, metrics and the file of its position (default: the kind).')),
  ),
  url: v.exactOptional(v.pipe(text(), described('http or https; of `syslog` tls or tcp; none with `stdout`.'))),
  token: v.exactOptional(
    v.pipe(headerValue, described('Splunk’s HEC token; of `elasticsearch` an API key; else a bearer token.')),
  ),
  hmacSecret: v.exactOptional(v.pipe(text(), described('`http`: batches are signed with it.'))),
  headers: v.exactOptional(
    v.pipe(
      v.record(headerName, headerValue, NO_MAPPING),
      described('`elasticsearch`, `otlp`, `http`: sent with every request.'),
    ),
  ),
  index: v.exactOptional(
    v.pipe(
      text(255),
      v.regex(/^(?![-_+.])[^\s"*\\<>|,?/#:A-Z]+$/, 'should be the name of an index: lower case, no space or sign'),
      described('`splunk-hec` (default: the token’s), `elasticsearch` (default `sallyport-audit`).'),
    ),
  ),
  source: v.exactOptional(v.pipe(text(200), described('`splunk-hec`; default `sallyport`.'))),
  sourcetype: v.exactOptional(v.pipe(text(200), described('`splunk-hec`; default `_json`.'))),
  ack: v.exactOptional(
    v.pipe(yesOrNo, described('`splunk-hec`: a batch counts as sent when it was indexed; default false.')),
  ),
  facility: v.exactOptional(v.pipe(count(0, 23), described('`syslog`; default 13, log audit.'))),
  structuredDataId: v.exactOptional(
    v.pipe(
      text(32),
      v.regex(/^[!-~]+@\d+(?:\.\d+)*$/, 'should be a name and an enterprise number, such as audit@32473'),
      v.regex(/^[^=\]"]*$/, 'should have no =, ] or "'),
      described('`syslog`: names the structured data; default `sallyport@32473`.'),
    ),
  ),
  maxMessage: v.exactOptional(
    v.pipe(
      quantity('size', MIN_SYSLOG_BYTES, MAX_SYSLOG_BYTES),
      described('`syslog`: the longest message that the receiver takes; default 8KiB.'),
    ),
  ),
  tls: v.exactOptional(
    v.pipe(CLIENT_TLS, described('With https or tls: who the server has to be, and who the gateway is.')),
  ),
  batch: v.optional(
    v.strictObject({
      records: v.exactOptional(v.pipe(count(1, MAX_FORWARD_BATCH), described('The most in one request.'))),
      size: v.exactOptional(
        v.pipe(quantity('size', MIN_FORWARD_BYTES, MAX_FORWARD_BYTES), described('Their size in the log, together.')),
      ),
      wait: v.optional(
        v.pipe(duration(10, MAX_FORWARD_WAIT_MS), described('How long records are gathered.')),
        formatQuantity('duration', DEFAULT_FORWARD_WAIT_MS),
      ),
    }),
    {},
  ),
  timeout: v.exactOptional(v.pipe(duration(100, MAX_FORWARD_TIMEOUT_MS), described('For one batch, answer included.'))),
  maxPause: v.optional(
    v.pipe(duration(1000, MAX_FORWARD_PAUSE_MS), described('The longest pause between two attempts.')),
    formatQuantity('duration', DEFAULT_FORWARD_PAUSE_MS),
  ),
  warnAfter: v.optional(
    v.pipe(duration(1000, MAX_TIMEOUT_MS), described('Age of the oldest record not sent at which that is told.')),
    formatQuantity('duration', DEFAULT_FORWARD_WARN_MS),
  ),
})

export const FORWARD = v.optional(
  v.pipe(
    list(destination),
    v.maxLength(MAX_FORWARD_DESTINATIONS, `should have at most ${MAX_FORWARD_DESTINATIONS} entries`),
    described('Where records are sent, each to all of them.'),
  ),
  [],
)

export type ForwardDocument = v.InferOutput<typeof destination>

/** The name of each destination. */
export function forwardNames(destinations: readonly ForwardDocument[]): string[] {
  return destinations.map(({ kind, name: given }) => given ?? kind)
}

/** Fills in the defaults. The document is a valid one. */
export function resolveForward(document: ForwardDocument, resolvePath: (path: string) => string): ForwardConfig {
  const { kind, hmacSecret, index } = document
  const settings = resolveSettings(document, resolvePath)
  const url = (document.url ?? '').replace(/\/+$/, '')
  switch (kind) {
    case 'splunk-hec': {
      const { token = '', source = 'sallyport', sourcetype = '_json', ack = false } = document
      return { ...settings, kind, url, token, source, sourcetype, ack, ...(index !== undefined && { index }) }
    }
    case 'elasticsearch':
      return { ...settings, kind, url, index: index ?? 'sallyport-audit', headers: headersOf(document, 'ApiKey') }
    case 'otlp':
      return { ...settings, kind, url: url.replace(/(?:\/v1\/logs)?$/, '/v1/logs'), headers: headersOf(document) }
    case 'http':
      return {
        ...settings,
        kind,
        url: document.url ?? '',
        headers: headersOf(document),
        ...(hmacSecret !== undefined && { hmacSecret }),
      }
    case 'syslog': {
      const { facility = 13, structuredDataId = 'sallyport@32473', maxMessage = DEFAULT_SYSLOG_BYTES } = document
      return { ...settings, kind, url, facility, structuredDataId, maxMessageBytes: maxMessage }
    }
    case 'stdout':
      return { ...settings, kind }
  }
}

function resolveSettings(
  { kind, name: given, tls, batch, timeout, maxPause, warnAfter, ack }: ForwardDocument,
  resolvePath: (path: string) => string,
): ForwardSettings {
  // One batch at a time is under way: those that are waited for until they are indexed have to be larger.
  const factor = ack === true ? 8 : 1
  return {
    name: given ?? kind,
    ...(tls !== undefined && { tls: resolveClientTls(tls, resolvePath) }),
    batch: {
      records: batch.records ?? DEFAULT_FORWARD_BATCH * factor,
      bytes: batch.size ?? DEFAULT_FORWARD_BYTES * factor,
      waitMs: batch.wait,
    },
    timeoutMs: timeout ?? DEFAULT_FORWARD_TIMEOUT_MS * factor,
    maxPauseMs: maxPause,
    warnAfterMs: warnAfter,
  }
}

function headersOf({ headers = {}, token }: ForwardDocument, scheme = 'Bearer'): Record<string, string> {
  const given = Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value] as const)
  return { ...Object.fromEntries(given), ...(token !== undefined && { authorization: `${scheme} ${token}` }) }
}

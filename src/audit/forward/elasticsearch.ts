import type { LoggedRecord } from '../../ports/forward-log.ts'
import type { Posted } from '../../validators/post.ts'
import { type Delivery, encodeAll, oneLine, type Refused } from './destination.ts'
import { jsonOf, readStatus } from './http-answer.ts'
import type { Speak } from './http-destination.ts'
import { timeOf } from './record-line.ts'

export interface ElasticsearchOptions {
  readonly url: string
  /** An index or a data stream. */
  readonly index: string
  /** With what authenticates. */
  readonly headers: Readonly<Record<string, string>>
}

/** Of each item, what says whether it was taken, and why not. */
const FILTER = 'filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason'

/**
 * The bulk API of Elasticsearch and OpenSearch. Each record is created under its id, so that one that is there already is not
 * there twice; data streams take nothing but `create`, and want `@timestamp`.
 */
export function elasticsearch({ url, index, headers }: ElasticsearchOptions): Speak {
  const call = {
    method: 'POST' as const,
    url: `${url}/${encodeURIComponent(index)}/_bulk?${FILTER}`,
    headers: { ...headers, 'content-type': 'application/x-ndjson' },
  }
  const encode = ({ id, line }: LoggedRecord) =>
    `{"create":{"_id":"${id}"}}\n{"@timestamp":"${timeOf(line)}",${line.slice(1)}\n`
  return async (records, send) =>
    readBulk(await send({ ...call, body: await encodeAll(records, encode) }), records.length)
}

type Item = { readonly ok: true } | { readonly ok: false; readonly again: boolean; readonly reason: string }

function readBulk(posted: Posted, count: number): Delivery {
  const read = readStatus(posted)
  if (read.kind !== 'taken') return read
  const answer = jsonOf(posted)
  const items = answer?.['items']
  if (!Array.isArray(items) || items.length !== count) {
    return { kind: 'failed', reason: 'its answer is not about the records that were sent: is this a bulk API?' }
  }
  if (answer?.['errors'] === false) return read
  return sum(items.map(readItem))
}

/** `{"create":{"status":201}}`, or with `error: {type, reason}`. 409: a record with this id is there already. */
function readItem(item: unknown): Item {
  const created = (item as { create?: { status?: unknown; error?: { type?: unknown; reason?: unknown } } } | null)
    ?.create
  const status = Number(created?.status)
  if ((status >= 200 && status <= 299) || status === 409) return { ok: true }
  const { type, reason } = created?.error ?? {}
  // Anything but these is about the index or the user, and mended there.
  const isRecords = status === 400 || status === 413 || status === 422
  return { ok: false, again: !isRecords, reason: oneLine(`${status} ${oneLine(type)}: ${oneLine(reason)}`) }
}

/** A record counts as refused only beside others that were taken: an index that takes nothing is not the records' fault. */
function sum(items: readonly Item[]): Delivery {
  const refused: Refused[] = []
  let taken = 0
  for (const [index, item] of items.entries()) {
    if (item.ok) taken += 1
    else if (!item.again) refused.push({ index, reason: item.reason })
    else if (taken === 0) return { kind: 'failed', reason: item.reason }
    else return { kind: 'failed', reason: item.reason, taken: index, refused }
  }
  const [first] = refused
  return taken === 0 && first ? { kind: 'refused', reason: first.reason } : { kind: 'taken', refused }
}

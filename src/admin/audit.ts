import * as v from 'valibot'
import type { AuditQuery } from '../audit/query.ts'
import {
  momentOf,
  OUTCOMES,
  QUERY_TIME_HINT,
  type QueryTime,
  queryTimeText,
  readQueryTime,
  STATUS,
} from '../audit/query-terms.ts'
import { text } from '../config/fields.ts'
import { MAX_SEARCH_TERM_CHARACTERS, MAX_TARGET_CHARACTERS } from '../config/limits.ts'
import { granted, refused, route } from './route.ts'
import { described, limit, moment, NOTHING, next } from './schemas.ts'

/** `one` is a pattern that no comma fits. */
function anyOf(one: string, what: string) {
  return v.exactOptional(
    v.pipe(
      text(MAX_SEARCH_TERM_CHARACTERS),
      v.regex(new RegExp(`^${one}(?:,${one})*$`), `should be ${what}, or several with commas between`),
      described(`Of which a record has one: ${what}, or several with commas between.`),
      v.transform(value => value.split(',')),
    ),
  )
}

function time(what: string) {
  return v.exactOptional(
    v.pipe(
      text(64),
      described(`${what}: such as 2026-11-24T09:00:00Z, or so long ago, such as 12h.`),
      v.rawTransform(({ dataset, addIssue, NEVER }): QueryTime => {
        const read = readQueryTime(dataset.value)
        if (read !== undefined) return read
        addIssue({ message: `should be ${QUERY_TIME_HINT}` })
        return NEVER
      }),
    ),
  )
}

const NAME = '[A-Za-z0-9._-]+'
const names = anyOf(NAME, 'a name')
const count = v.pipe(v.number(), v.integer())
const head = { seq: count, hash: v.string() }

const QUERY = v.strictObject({
  since: time('Of requests that came at this time or later'),
  until: time('Of requests that came before'),
  team: names,
  app: names,
  env: names,
  model: anyOf('[^,]+', 'the id of a model'),
  outcome: anyOf(`(?:${OUTCOMES.join('|')})`, `one of ${OUTCOMES.join(', ')}`),
  status: anyOf(STATUS, 'a status such as 429, or 4xx for all of a kind'),
  finding: anyOf(`(?:\\*|${NAME})`, 'the name of a rule that found something, or * for any'),
  token: anyOf(NAME, 'the id of a token'),
  requestId: anyOf('[\\w=-]+', 'the id of a request'),
  errorCode: anyOf('[a-z_]+', 'an error code'),
  promptHmac: anyOf('[0-9a-f]{64}', 'the HMAC of a prompt'),
  action: anyOf('[a-z.]+', 'an action of administrators'),
  limit,
  after: v.exactOptional(
    v.pipe(
      text(32),
      v.regex(/^\d{1,15}-[0-9a-f]{8}$/, 'should be the `next` of a page'),
      described('The `next` of the page before.'),
    ),
  ),
})

export const SEARCH_AUDIT = route({
  method: 'GET',
  path: '/admin/audit',
  scopes: ['audit:read'],
  action: 'audit.search',
  summary: 'The records of this instance’s log that are asked for, newest first',
  params: NOTHING,
  query: QUERY,
  body: undefined,
  answer: v.strictObject({
    records: v.pipe(
      v.array(v.looseObject({ ...head, time: moment, requestId: v.string(), outcome: v.picklist(OUTCOMES) })),
      described(
        'As they are in the log. Those of beginnings are left out unless their outcome is asked for. A page may be short, or ' +
          'empty, and have a `next` all the same: a search answers after two seconds, and goes on there.',
      ),
    ),
    next,
  }),
  status: 200,
  changes: false,
  target: ({ query }) => said(query),
  async run({ query }, { auditSearch, clock, config, hashing }) {
    // The record of this search has to tell all of it.
    if (said(query).length > MAX_TARGET_CHARACTERS) {
      return refused({
        code: 'invalid_value',
        message: 'The search is too long to be recorded. Ask for fewer at once.',
      })
    }
    // Several processes may answer at one address, each of which has a log of its own.
    const log = hashing.sha256(config.audit.file).slice(0, 8)
    const [before, ofLog = log] = query.after?.split('-') ?? []
    if (ofLog !== log) {
      const message = 'This page is of the log of another process, which has to answer; or begin again.'
      return refused({ code: 'invalid_value', param: 'after', message })
    }
    let page: Awaited<ReturnType<typeof auditSearch.find>>
    try {
      page = await auditSearch.find(
        asked(query, clock.now()),
        query.limit,
        before === undefined ? undefined : Number(before),
      )
    } catch (error) {
      return refused({ code: 'audit_unavailable', reason: error instanceof Error ? error.message : 'unknown' })
    }
    if (page === undefined) return refused({ code: 'searches_in_progress', headers: { 'retry-after': '2' } })
    const { records, next: more } = page
    return granted({
      records: records as never[],
      ...(more !== undefined && { next: `${more}-${log}` }),
    })
  },
})

type Query = v.InferOutput<typeof QUERY>

function asked(query: Query, nowMs: number): AuditQuery {
  const { since, until, status, finding, token } = query
  const { team, app, env, model, outcome, requestId, errorCode, promptHmac, action } = query
  const given = { team, app, env, model, outcome, tokenId: token, requestId, errorCode, promptHmac, action }
  return {
    since: since && momentOf(since, nowMs),
    until: until && momentOf(until, nowMs),
    status,
    finding,
    members: Object.fromEntries(Object.entries(given).flatMap(([name, some]) => (some ? [[name, some] as const] : []))),
  }
}

/** What was searched for, as the record of the search tells it. */
function said({ since, until, ...rest }: Query): string {
  const times = Object.entries({ since, until }).map(([name, at]) => (at ? `${name}=${queryTimeText(at)}` : ''))
  const terms = Object.entries(rest).map(([name, some]) => (name === 'limit' ? '' : `${name}=${String(some)}`))
  return [...times, ...terms].filter(term => term !== '').join(' ') || 'everything'
}

export const SHOW_AUDIT_STATE = route({
  method: 'GET',
  path: '/admin/audit/state',
  scopes: ['audit:read'],
  action: 'audit.state',
  summary: 'How the log of this instance stands: its last record, what was signed, whether it can be written',
  params: NOTHING,
  query: NOTHING,
  body: undefined,
  answer: v.strictObject({
    instance: v.pipe(v.string(), described('As this process is called in its records.')),
    ...head,
    broken: v.pipe(v.boolean(), described('The last write failed, and none has worked since.')),
    lagMs: v.pipe(v.number(), described('For how long records have waited without any being on disk.')),
    checkpoints: v.pipe(
      v.array(
        v.strictObject({
          kind: v.picklist(['file', 'redis', 'http']),
          place: v.string(),
          last: v.exactOptional(v.strictObject({ ...head, time: moment })),
          failure: v.exactOptional(v.pipe(v.string(), described('Why the latest could not be sent.'))),
        }),
      ),
      described('By place, the last that this process has sent; empty where none are configured.'),
    ),
  }),
  status: 200,
  changes: false,
  async run(_, { audit, checkpoints }) {
    const { seq, hash } = audit.head
    return granted({
      instance: audit.instance,
      seq,
      hash,
      broken: audit.broken,
      lagMs: audit.lagMs(),
      checkpoints: checkpoints().map(({ kind, place, last, failure }) => ({
        kind,
        place,
        ...(last && { last }),
        ...(failure !== undefined && { failure }),
      })),
    })
  },
})

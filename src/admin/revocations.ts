import * as v from 'valibot'
import { createRevocation } from '../auth/revocation.ts'
import { text } from '../config/fields.ts'
import { MAX_REASON_CHARACTERS, MAX_REVOCATIONS } from '../config/limits.ts'
import type { Revocation, RevocationTarget } from '../ports/token-registry.ts'
import { granted, refused, route } from './route.ts'
import { after, described, iso, limit, moment, NOTHING, name, next, page, tokenId } from './schemas.ts'

const target = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('token'), tokenId }),
    v.strictObject({
      kind: v.literal('app'),
      app: name,
      team: v.exactOptional(v.pipe(name, described('Absent: of any team.'))),
    }),
    v.strictObject({ kind: v.literal('team'), team: name }),
    v.strictObject({ kind: v.literal('all') }),
  ],
  'should have the kind token, app, team or all',
)
const reason = v.exactOptional(text(MAX_REASON_CHARACTERS))
const revocation = v.strictObject({
  id: v.string(),
  target,
  issuedBefore: moment,
  until: v.pipe(
    v.string(),
    v.isoTimestamp(),
    described('From then on it is forgotten: every token it is about has expired.'),
  ),
  createdAt: moment,
  by: v.pipe(v.string(), described('The subject of who revoked.')),
  reason,
})

export const LIST_REVOCATIONS = route({
  method: 'GET',
  path: '/admin/revocations',
  scopes: ['tokens:admin'],
  action: 'revocations.list',
  summary: 'Revocations that are in force, in the order in which they were made',
  params: NOTHING,
  query: v.strictObject({ limit, after }),
  body: undefined,
  answer: v.strictObject({ revocations: v.array(revocation), next }),
  status: 200,
  changes: false,
  async run({ query }, { registry }) {
    const { revocations } = await registry.revocations()
    const sorted = [...revocations].sort((a, b) => (a.id < b.id ? -1 : 1))
    const { entries, ...rest } = page(sorted, query, ({ id }) => id)
    return granted({ revocations: entries.map(shown), ...rest })
  },
})

export const REVOKE = route({
  method: 'POST',
  path: '/admin/revocations',
  scopes: ['tokens:admin'],
  action: 'tokens.revoke',
  summary: 'Revoke a token by its id, or all tokens of an application, a team or everybody issued up to a moment',
  params: NOTHING,
  query: NOTHING,
  body: v.strictObject({
    target,
    issuedBefore: v.exactOptional(
      v.pipe(
        v.string('should be a moment: 2026-01-31T12:00:00Z'),
        v.isoTimestamp('should be a moment: 2026-01-31T12:00:00Z'),
        described('Tokens issued up to then; absent: up to now. A token named by its id is revoked in any case.'),
      ),
    ),
    reason,
  }),
  answer: revocation,
  status: 201,
  changes: true,
  target: ({ body }) => nameOf(body.target),
  async run({ body, by }, { registry, clock, revocations }) {
    const nowMs = clock.now()
    const issuedBeforeMs = body.issuedBefore === undefined ? nowMs : Date.parse(body.issuedBefore)
    if (!(issuedBeforeMs <= nowMs)) {
      const message = 'The field "issuedBefore" should not be in the future.'
      return refused({ code: 'invalid_value', param: 'issuedBefore', message })
    }
    if (body.issuedBefore !== undefined && !isOfCalendar(body.issuedBefore)) {
      const message = 'The field "issuedBefore" should be a day that there is.'
      return refused({ code: 'invalid_value', param: 'issuedBefore', message })
    }
    if (body.reason !== undefined && /\p{Cc}/u.test(body.reason)) {
      return refused({ code: 'invalid_value', param: 'reason', message: 'The field "reason" should be on one line.' })
    }
    const token = body.target.kind === 'token' ? await registry.find(body.target.tokenId) : undefined
    const made = createRevocation({
      target: body.target,
      nowMs,
      issuedBeforeMs,
      by: by.subject,
      ...(body.reason !== undefined && { reason: body.reason }),
      ...(token && { token }),
    })
    if ((await registry.revoke(made)) === 'done') {
      // In force here when the answer comes, also where the registry's notice is late, or lost.
      await revocations.refresh()
      return granted(shown(made))
    }
    const message = `${MAX_REVOCATIONS} tokens are revoked one by one already: revoke the application, the team or all.`
    return refused({ code: 'action_forbidden', message })
  },
})

/** February the 31st is read as a day in March. */
function isOfCalendar(time: string): boolean {
  const [day = ''] = time.split('T')
  return new Date(`${day}T00:00Z`).getUTCDate() === Number(day.slice(-2))
}

function nameOf(about: RevocationTarget): string {
  switch (about.kind) {
    case 'token':
      return `token ${about.tokenId}`
    case 'app':
      return about.team === undefined ? `app ${about.app}` : `app ${about.app} of team ${about.team}`
    case 'team':
      return `team ${about.team}`
    case 'all':
      return 'all'
  }
}

function shown({ id, target: about, issuedBeforeMs, untilMs, createdAtMs, by, reason: why }: Revocation) {
  return {
    id,
    target: about,
    issuedBefore: iso(issuedBeforeMs),
    until: iso(untilMs),
    createdAt: iso(createdAtMs),
    by,
    ...(why !== undefined && { reason: why }),
  }
}

import * as v from 'valibot'
import { htmlPage } from '../checklist/pages.ts'
import { oneOf } from '../config/fields.ts'
import { granted, refused, route } from './route.ts'
import { described, moment, NOTHING } from './schemas.ts'

export const SHOW_CHECKLIST = route({
  method: 'GET',
  path: '/admin/checklist',
  scopes: ['audit:read'],
  action: 'checklist.show',
  summary: 'What this deployment does of the security checklist, with evidence; as a page with ?format=html',
  params: NOTHING,
  query: v.strictObject({
    format: v.exactOptional(
      v.pipe(oneOf(['json', 'html']), described('In place of what the header `accept` prefers.')),
    ),
  }),
  body: undefined,
  answer: v.strictObject({
    deployment: v.string(),
    version: v.string(),
    time: moment,
    ok: v.pipe(v.boolean(), described('Whether every critical row passes or is attested.')),
    rows: v.array(
      v.strictObject({
        number: v.pipe(v.number(), v.integer()),
        area: v.string(),
        item: v.string(),
        priority: v.picklist(['critical', 'high', 'medium']),
        status: v.picklist(['pass', 'fail', 'attested', 'attest-needed', 'expired']),
        evidence: v.string(),
      }),
    ),
  }),
  status: 200,
  hasPage: true,
  changes: false,
  async run({ query, wantsPage }, services) {
    const read = await services.checklist()
    if (!read.ok) return refused({ code: 'internal_error', reason: read.reason })
    const { checklist, title } = read
    const { time, ok, rows } = checklist
    const asPage = query.format === undefined ? wantsPage : query.format === 'html'
    return {
      ...granted({ ...title, time, ok, rows: [...rows] }),
      ...(asPage && { page: htmlPage(checklist, title) }),
    }
  },
})

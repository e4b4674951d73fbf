import * as v from 'valibot'
import { LIST_ADAPTERS, LOAD_ADAPTER, UNLOAD_ADAPTER } from './adapters.ts'
import { SEARCH_AUDIT, SHOW_AUDIT_STATE } from './audit.ts'
import { SHOW_CHECKLIST } from './checklist.ts'
import { DRAIN_ROUTES } from './drain.ts'
import { LIST_MODELS, MODEL_ACTION_ROUTES, SHOW_MODEL } from './models.ts'
import { ADMIN_SCOPES, OPENAPI_PATH, openApiDocument } from './openapi.ts'
import { LIST_REVOCATIONS, REVOKE } from './revocations.ts'
import { type AdminRoute, granted, route } from './route.ts'
import { NOTHING } from './schemas.ts'
import { ISSUE_TOKEN, LIST_TOKENS, SHOW_TOKEN } from './tokens.ts'
import { SHOW_USAGE } from './usage.ts'

const DESCRIBE = route({
  method: 'GET',
  path: OPENAPI_PATH,
  scopes: ADMIN_SCOPES,
  action: 'openapi.show',
  summary: 'This document',
  params: NOTHING,
  query: NOTHING,
  body: undefined,
  answer: v.looseObject({}),
  status: 200,
  changes: false,
  run: async () => granted(document()),
})

/** All of the admin API. */
export const ROUTES: readonly AdminRoute[] = [
  LIST_TOKENS,
  ISSUE_TOKEN,
  SHOW_TOKEN,
  LIST_REVOCATIONS,
  REVOKE,
  LIST_MODELS,
  SHOW_MODEL,
  ...MODEL_ACTION_ROUTES,
  ...DRAIN_ROUTES,
  LIST_ADAPTERS,
  LOAD_ADAPTER,
  UNLOAD_ADAPTER,
  SHOW_USAGE,
  SEARCH_AUDIT,
  SHOW_AUDIT_STATE,
  SHOW_CHECKLIST,
  DESCRIBE,
]

let made: Record<string, unknown> | undefined

function document(): Record<string, unknown> {
  return (made ??= openApiDocument(ROUTES))
}

import { afterAll, beforeAll, describe } from 'vitest'
import type { Runtime } from '../support/index.ts'
import { actions } from './actions.ts'
import { admin } from './admin.ts'
import { adminAudit } from './admin-audit.ts'
import { adminModels } from './admin-models.ts'
import { answers } from './answers.ts'
import { attacks } from './attacks.ts'
import { breaks } from './breaks.ts'
import { canaries } from './canaries.ts'
import { drain } from './drain.ts'
import { evasions } from './evasions.ts'
import { firewall } from './firewall.ts'
import { halfPairs } from './half-pairs.ts'
import { headers } from './headers.ts'
import { hostileJson } from './hostile-json.ts'
import { policy } from './policy.ts'
import { prompts } from './prompts.ts'
import { queueing } from './queueing.ts'
import { real } from './real.ts'
import { requests } from './requests.ts'
import { revocation } from './revocation.ts'
import { Rig } from './rig.ts'
import { routes } from './routes.ts'
import { secrecy } from './secrecy.ts'
import { sideDoors } from './side-doors.ts'
import { streams } from './streams.ts'
import { systemPrompts } from './system-prompts.ts'
import { tokenAttacks } from './token-attacks.ts'
import { tokens } from './tokens.ts'
import { typedEvents } from './typed-events.ts'
import { unreachable } from './unreachable.ts'
import { upstreamTls } from './upstream-tls.ts'
import { validators } from './validators.ts'

const THEMES = {
  admin,
  adminModels,
  adminAudit,
  drain,
  routes,
  attacks,
  requests,
  hostileJson,
  firewall,
  unreachable,
  systemPrompts,
  tokens,
  revocation,
  tokenAttacks,
  headers,
  prompts,
  policy,
  streams,
  halfPairs,
  breaks,
  answers,
  evasions,
  actions,
  typedEvents,
  sideDoors,
  queueing,
  real,
  secrecy,
  canaries,
  validators,
  upstreamTls,
}

/** Everything that can be told from outside, over HTTP: the same for every runtime. */
export function conformance(runtime: Runtime): void {
  const rig = new Rig(runtime)
  beforeAll(() => rig.start())
  afterAll(() => rig.stop())
  for (const [name, theme] of Object.entries(THEMES)) describe(name, () => theme(rig))
}

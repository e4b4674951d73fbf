import { mayUseModel } from '../auth/principal.ts'
import type { Scope } from '../auth/scopes.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

/** May this caller use this endpoint at all? Needs no body, so that nothing is read for those who may not. */
export function authoriseScope({ principal, endpoint: { scopes } }: Exchange): Refusal | undefined {
  for (let at = 0; at < scopes.length; at++) if (principal?.scopes.has(scopes[at] as Scope)) return undefined
  return { code: 'scope_missing', message: `This endpoint needs a token with the scope "${scopes.join('" or "')}".` }
}

/**
 * May it use this model? Sets `model` and `policy`. A model that the token may not use and one that does not exist are told
 * apart only for tokens that may use every model.
 */
export function authoriseModel(exchange: Exchange, services: Services): Refusal | undefined {
  const { principal, body } = exchange
  if (!principal || !body) throw new Error('authoriseModel runs behind authenticate and readRequest')
  if (!mayUseModel(principal, body.model)) return { code: 'model_forbidden', param: 'model' }
  const model = services.config.models.find(({ id }) => id === body.model)
  if (!model) return { code: 'model_not_found', param: 'model' }
  exchange.model = model
  exchange.policy = services.policies.policyFor({ ...principal, model: model.id })
  return undefined
}

import { mayUseModel } from '../auth/principal.ts'
import { answerOwn, refuse } from './answer.ts'
import { authenticate } from './authenticate.ts'
import { authoriseScope } from './authorise.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

/**
 * The models that this token may use, or the one that is asked for. Synthesised: a model server's own list tells paths and
 * launch arguments.
 */
export async function listModels(exchange: Exchange, services: Services, id: string | undefined): Promise<Response> {
  const refusal = (await authenticate(exchange, services)) ?? authoriseScope(exchange)
  if (refusal) return refuse(exchange, services, refusal)
  const { principal } = exchange
  const models = services.config.models
    .filter(model => principal && mayUseModel(principal, model.id))
    .map(model => ({ id: model.id, object: 'model', created: 0, owned_by: 'sallyport' }))
  if (id === undefined) return answerOwn(exchange, services, { object: 'list', data: models })
  const model = models.find(one => one.id === id)
  return model
    ? answerOwn(exchange, services, model)
    : refuse(exchange, services, { code: 'model_not_found', param: 'model' })
}

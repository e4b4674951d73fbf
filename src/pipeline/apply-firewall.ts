import type { ModelConfig } from '../config/config.ts'
import type { Refusal } from '../errors/refusal.ts'
import { limitExcess } from '../firewall/check-limits.ts'
import { excessRefusal } from '../firewall/excess.ts'
import { isNeutral } from '../firewall/neutral.ts'
import { type Offer, offerOf } from '../firewall/offer.ts'
import { callersSystem } from '../firewall/system-prompt.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

const offers = new WeakMap<ModelConfig, Offer>()

/**
 * Do the model's servers take this request: the endpoint, each field, within the bounds? Fields that none of them takes
 * leave the request where they ask for nothing, or where policy drops what is unknown; else they refuse it.
 */
export function applyFirewall(exchange: Exchange, { config }: Services): Refusal | undefined {
  const { endpoint, model, body } = exchange
  if (!model || !body) throw new Error('applyFirewall runs behind authoriseModel')
  let offer = offers.get(model)
  if (!offer) offers.set(model, (offer = offerOf(model)))
  const accepted = offer.endpoints.get(endpoint.path)
  if (!accepted) {
    const paths = [...offer.endpoints.keys()].join(', ')
    const message = `This model is not served at ${endpoint.path}. It is at ${paths}.`
    return { code: 'endpoint_unsupported', param: 'model', message }
  }
  const { fields } = body
  for (const name of Object.keys(fields)) {
    if (accepted.has(name)) continue
    if (config.request.unknownFields !== 'drop' && !isNeutral(name, fields[name])) {
      const message = `The field "${name}" is not taken by the servers of this model (${offer.kinds.join(', ')}); remove it.`
      return { code: 'field_unsupported', param: name, message }
    }
    delete fields[name]
  }
  const excess =
    limitExcess(fields, model.limits) ?? (model.callerSystem === 'refuse' ? callersSystem(fields) : undefined)
  return excess && excessRefusal(excess)
}

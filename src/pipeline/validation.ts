import type { Refusal } from '../errors/refusal.ts'
import type { Subject } from '../validators/kind.ts'
import type { Outcome, Validator } from '../validators/validator.ts'
import type { Stage } from '../validators/validator-config.ts'
import type { Exchange } from './exchange.ts'

/** What validators are told about the request whose text they check. */
export function subjectOf({ requestId, principal, model }: Exchange, stage: Stage): Subject {
  if (!principal || !model) throw new Error('validators run behind authoriseModel')
  const { team, app, env } = principal
  return { stage, requestId, team, app, env, model: model.id }
}

/** Notes what came of a check. The refusal, where policy has one: a validator that only flags never refuses. */
export function conclude(
  exchange: Exchange,
  stage: Stage,
  { config: { name, action, onFailure } }: Pick<Validator, 'config'>,
  outcome: Outcome,
): Refusal | undefined {
  if (outcome.kind === 'bad') {
    exchange.findings.push({ stage, rule: name, action, count: 1 })
    if (action === 'flag') return undefined
    const reason = reasonOf(name, outcome)
    if (stage === 'output') return { code: 'guard_output_blocked', reason }
    return { code: 'guard_validator', message: `The prompt was refused by the validator "${name}".`, reason }
  }
  if (outcome.kind !== 'failed') return undefined
  exchange.findings.push({ stage, rule: name, action: 'failed', count: 1 })
  if (action === 'flag' || onFailure === 'allow') return undefined
  return { code: 'guard_unavailable', reason: reasonOf(name, outcome), headers: { 'retry-after': '1' } }
}

/** For operators: which validator, and why. */
export function reasonOf(name: string, outcome: Outcome): string {
  const why = outcome.kind === 'failed' ? outcome.reason : outcome.kind === 'bad' ? outcome.label : undefined
  return why === undefined ? name : `${name}: ${why}`
}

import { at, type Fault } from './fault.ts'
import type { Document } from './schema.ts'

type Validator = NonNullable<Document['guard']['validators']>[number]

/** Keys that only one kind knows. */
const ONLY: readonly (readonly [keyof Validator, Validator['kind']])[] = [
  ['labels', 'vllm-classify'],
  ['prompt', 'chat'],
  ['guard', 'http'],
]

/** Keys of validators that contradict each other, and names in exceptions that name none. */
export function validatorFaults({ guard: { validators = [], exceptions } }: Document): Fault[] {
  const names = validators.map(({ name }) => name)
  return [
    ...validators.flatMap((validator, index) => faultsOf(validator, at('guard.validators', index))),
    ...exceptions.flatMap((exception, index) =>
      (exception.validators ?? []).flatMap((name, inner) =>
        names.includes(name)
          ? []
          : [
              {
                path: `guard.exceptions[${index}].validators[${inner}]`,
                reason: 'there is no validator with this name',
              },
            ],
      ),
    ),
  ]
}

function faultsOf(validator: Validator, path: string): Fault[] {
  const { kind, model, guard, threshold, on, input, output } = validator
  const found: Fault[] = []
  for (const [key, only] of ONLY) {
    if (validator[key] !== undefined && kind !== only) {
      found.push({ path: at(path, key), reason: `only goes with kind: ${only}` })
    }
  }
  if (kind === 'chat' && model === undefined) found.push({ path: at(path, 'model'), reason: 'is required' })
  if (kind === 'http' && model !== undefined) {
    found.push({ path: at(path, 'model'), reason: 'does not go with kind: http' })
  }
  if (guard !== undefined && threshold !== undefined) {
    found.push({ path: at(path, 'threshold'), reason: 'does not go with guard: Guardrails AI gives no scores' })
  }
  if (input !== undefined && !on.includes('input')) {
    found.push({ path: at(path, 'input'), reason: 'only goes with on: [input]' })
  }
  if (output !== undefined && !on.includes('output')) {
    found.push({ path: at(path, 'output'), reason: 'only goes with on: [output]' })
  }
  return found
}

/** Settings of validators that let something through. */
export function validatorWarnings(
  { guard: { validators = [] } }: Document,
  isLoopback: (host: string) => boolean,
): Fault[] {
  return validators.flatMap(({ url, apiKey, onFailure, action, on, output }, index) => {
    const path = at('guard.validators', index)
    const { protocol, hostname } = new URL(url)
    const found: Fault[] = []
    if (apiKey !== undefined && protocol === 'http:' && !isLoopback(hostname)) {
      found.push({ path: at(path, 'apiKey'), reason: 'sent unencrypted (http:)' })
    }
    if (onFailure === 'allow' && action === 'block') {
      found.push({ path: at(path, 'onFailure'), reason: 'texts pass unchecked while the validator fails' })
    }
    if (on.includes('output') && output?.mode === 'alongside' && action === 'block') {
      found.push({ path: at(path, 'output.mode'), reason: 'text of streams reaches callers before its verdict' })
    }
    return found
  })
}

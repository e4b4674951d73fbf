import type { ValidatorConfig } from '../../src/validators/validator-config.ts'

/** The settings of a validator, defaults filled in. */
export function validatorConfig(settings: Partial<ValidatorConfig> = {}): ValidatorConfig {
  return {
    name: 'judge',
    kind: 'http',
    url: 'http://validator',
    headers: {},
    on: ['input', 'output'],
    action: 'block',
    timeoutMs: 1000,
    onFailure: 'block',
    input: { mode: 'before', window: 4000, maxWindows: 64 },
    output: { mode: 'hold', window: 400 },
    cache: { ttlMs: 60_000, entries: 1000 },
    maxInFlight: 32,
    ...settings,
  }
}

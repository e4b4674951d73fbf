import { chatValidator } from './chat.ts'
import { guardrailsAi } from './guardrails-ai.ts'
import { httpValidator } from './http.ts'
import type { ValidatorKind } from './kind.ts'
import { Validator, type ValidatorServices } from './validator.ts'
import type { Stage, ValidatorConfig } from './validator-config.ts'
import { vllmClassify } from './vllm-classify.ts'

/** All validators of a gateway, in the order of the configuration. */
export class Validators {
  readonly all: readonly Validator[]

  /** @param before of which those that have the very same configuration stay, with what they remember */
  constructor(configs: readonly ValidatorConfig[], services: ValidatorServices, before?: Validators) {
    this.all = configs.map(
      config => before?.all.find(known => known.config === config) ?? new Validator(config, kindOf(config), services),
    )
  }

  /** Those that look at one stage; of the names given, where any are. */
  of(stage: Stage, names?: readonly string[]): Validator[] {
    return this.all.filter(({ config: { on, name } }) => on.includes(stage) && (names?.includes(name) ?? true))
  }
}

function kindOf(config: ValidatorConfig): ValidatorKind {
  switch (config.kind) {
    case 'vllm-classify':
      return vllmClassify(config)
    case 'chat':
      return chatValidator(config)
    case 'http':
      return config.guard === undefined ? httpValidator(config) : guardrailsAi(config, config.guard)
  }
}

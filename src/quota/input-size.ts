import type { UpstreamConfig } from '../config/config.ts'
import type { PromptKind } from './learned-input.ts'
import type { InputSource } from './reservation-error.ts'

/** How many tokens of input a request is taken to have, and how that is known. */
export interface InputSize {
  readonly tokens: number
  readonly source: InputSource
  readonly prompt: PromptKind
  /** The server that has counted them. */
  readonly server?: UpstreamConfig
}

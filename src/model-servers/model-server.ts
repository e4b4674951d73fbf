import type { AdapterConfig } from '../config/config.ts'
import { MODEL_STATE_TIMEOUT_MS } from '../config/limits.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import type { Ask, Said } from './ask.ts'

/** `absent`: the server does not have the model. */
export const MODEL_STATES = ['loaded', 'loading', 'sleeping', 'unloaded', 'absent'] as const
export type ModelState = (typeof MODEL_STATES)[number]

export const MODEL_ACTIONS = ['load', 'unload', 'sleep', 'wake', 'pull', 'delete'] as const
export type ModelAction = (typeof MODEL_ACTIONS)[number]

/** What came of a request to a model server. `reason` is for operators. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ErrorCode; readonly reason: string }

/** Does one thing to a model; the deadline is for all of it. */
export type Act = (ask: Ask, model: string, timeoutMs: number) => Promise<Outcome<void>>

/** The LoRA adapters of a model, by the paths and names that the configuration gives them. */
export interface Adapters {
  /** The names of those that are in force. */
  list(ask: Ask, adapters: readonly AdapterConfig[]): Promise<Outcome<readonly string[]>>
  load(ask: Ask, adapter: AdapterConfig, timeoutMs: number): Promise<Outcome<void>>
  unload(ask: Ask, adapter: AdapterConfig, timeoutMs: number): Promise<Outcome<void>>
}

/** How model servers of one kind are managed. What is left out, the kind does not offer. */
export interface ModelServerKind {
  readonly state: (ask: Ask, model: string) => Promise<Outcome<ModelState>>
  readonly actions: Readonly<Partial<Record<ModelAction, Act>>>
  readonly adapters?: Adapters
}

export function done<T>(value: T): Outcome<T> {
  return { ok: true, value }
}

export const DONE: Outcome<void> = { ok: true, value: undefined }

/** A server of a kind that offers this in general, but not as it was started. */
export function switchedOff(what: string): Outcome<never> {
  return { ok: false, code: 'not_offered', reason: what }
}

/** The failure that an answer is; undefined where it is a success. */
export function failureOf(said: Said): Outcome<never> | undefined {
  if (!said.ok) return said
  if (said.status < 300) return undefined
  return { ok: false, code: 'upstream_failed', reason: `status ${said.status}` }
}

/** Looks something up within the time for looking. */
export function look(ask: Ask, path: `/${string}`): Promise<Said> {
  return ask({ method: 'GET', path, timeoutMs: MODEL_STATE_TIMEOUT_MS })
}

/** The objects in a list that stands under a name in an answer; none where the answer has another form. */
export function objectsIn(json: unknown, name?: string): readonly Readonly<Record<string, unknown>>[] {
  const list = name === undefined ? json : isObject(json) ? json[name] : undefined
  return Array.isArray(list) ? list.filter(isObject) : []
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

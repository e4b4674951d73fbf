import type * as v from 'valibot'
import type { Principal } from '../auth/principal.ts'
import type { Scope } from '../auth/scopes.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { AdminServices } from './services.ts'

/** What came of a call: what is answered, or why it is refused. */
export type Result<T> =
  | {
      readonly ok: true
      readonly value: T /** In place of the route's own, in the record. */
      readonly target?: string
      /** HTML that is sent in place of the value. */
      readonly page?: string
    }
  | {
      readonly ok: false
      readonly refusal: Refusal /** Members beside those of a problem. */
      readonly members?: object
    }

type Out<S> = S extends v.GenericSchema ? v.InferOutput<S> : undefined

export interface Call<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  /** Who calls. */
  readonly by: Principal
  /** Whether a page is asked for rather than JSON, by the header `accept`. */
  readonly wantsPage: boolean
}

/** One operation of the admin API: what it takes and gives, as schemas, and who may call it. */
export interface AdminRoute<
  P extends v.GenericSchema = v.GenericSchema,
  Q extends v.GenericSchema = v.GenericSchema,
  B extends v.GenericSchema | undefined = v.GenericSchema | undefined,
  A extends v.GenericSchema = v.GenericSchema,
> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: `/admin/${string}`
  /** A token needs one of these. */
  readonly scopes: readonly Scope[]
  /** Its name in records, and in the API's description. */
  readonly action: string
  readonly summary: string
  readonly params: P
  readonly query: Q
  /** Undefined: it takes none. */
  readonly body: B
  readonly answer: A
  readonly status: 200 | 201
  /** Whether it answers with a page, too. */
  readonly hasPage?: boolean
  /** Its effect begins only when a record of the intent is on disk. */
  readonly changes: boolean
  /** What it is done to, as the record says it: names and ids alone. */
  target?(call: Call<Out<P>, Out<Q>, Out<B>>): string
  run(call: Call<Out<P>, Out<Q>, Out<B>>, services: AdminServices): Promise<Result<v.InferInput<A>>>
}

/** A route by itself is checked against its schemas; among others it is only called with what they let through. */
export function route<
  P extends v.GenericSchema,
  Q extends v.GenericSchema,
  B extends v.GenericSchema | undefined,
  A extends v.GenericSchema,
>(definition: AdminRoute<P, Q, B, A>): AdminRoute {
  return definition as unknown as AdminRoute
}

export function granted<T>(value: T, target?: string): Result<T> {
  return { ok: true, value, ...(target !== undefined && { target }) }
}

export function refused(refusal: Refusal, members?: object): Result<never> {
  return { ok: false, refusal, ...(members !== undefined && { members }) }
}

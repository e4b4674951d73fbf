/** Counters by series; messages between processes are JSON. */
export type Series = readonly (readonly [string, number])[]

/** What a worker says to its supervisor. */
export type FromWorker =
  | { readonly kind: 'ready'; readonly url: string; readonly adminUrl?: string | undefined; readonly sha256: string }
  /** Its counters now: asked for, or, without an id, for the last time. */
  | { readonly kind: 'counters'; readonly id?: number; readonly series: Series }
  /** Asks for those of all workers together. */
  | { readonly kind: 'collect'; readonly id: number }

/** What a supervisor says to a worker. */
export type ToWorker =
  | { readonly kind: 'stop' | 'reload' }
  | { readonly kind: 'count'; readonly id: number }
  | { readonly kind: 'collected'; readonly id: number; readonly series: Series }

/** One request to a model server. */
export interface UpstreamCall {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Absolute http: or https: URL. */
  readonly url: string
  /** Complete: an adapter adds only what the protocol needs (host, content-length, connection). */
  readonly headers: Readonly<Record<string, string>>
  /** Text is sent as UTF-8. */
  readonly body?: Uint8Array | string
  /** Closes the connection behind the answer: for servers that give each open connection a thread, also an idle one. */
  readonly closeAfter?: boolean
}

/**
 * Why a call failed below HTTP. `connect`: there was no connection. `tls`: there was none that both ends trust; like
 * `connect`, nothing was processed. `message` is for operators, never for callers.
 */
export interface UpstreamFailure {
  readonly kind: 'connect' | 'tls' | 'reset' | 'protocol'
  readonly message: string
}

/**
 * Receives an answer as it arrives: `onHead` once, `onData` any number of times, then exactly one of `onEnd` and
 * `onFailure`; nothing after `cancel`. Header names are lower-case. Chunks belong to the receiver and are not reused.
 */
export interface UpstreamReceiver {
  onHead(status: number, headers: Readonly<Record<string, string>>): void
  onData(chunk: Uint8Array): void
  onEnd(): void
  onFailure(failure: UpstreamFailure): void
}

/** The hold on a call in progress. All methods are safe to repeat and safe after the end. */
export interface UpstreamFlow {
  /** Stops reading from the model server's socket, so that a slow client slows the model and not our memory. */
  pause(): void
  resume(): void
  /** Closes the connection at once, at any stage: this is what frees the model server's slot. */
  cancel(): void
}

/**
 * Sends requests to model servers over kept-alive connections (but for `closeAfter`). Callbacks, not promises: a stream costs a function
 * call per chunk. Deadlines belong to the caller; bytes are passed on as they were read, one call per socket read
 * where the runtime allows it. Response bodies are never decompressed (no `accept-encoding` is sent).
 */
export interface Upstream {
  send(call: UpstreamCall, receiver: UpstreamReceiver): UpstreamFlow
  /** Closes idle connections and refuses new calls. */
  close(): Promise<void>
}

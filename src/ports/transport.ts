/** Receives the bytes of one streamed answer. */
export interface AnswerSink {
  /** False: the client is slow; write no more until the source's `resume` is called. */
  write(chunk: Uint8Array): boolean
  end(): void
}

/** Produces the bytes of one streamed answer. After `cancel` (the client went away) it must write nothing more. */
export interface AnswerSource {
  start(sink: AnswerSink): void
  resume(): void
  cancel(): void
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | AnswerSource
}

export type BodyResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: 'too_large' | 'aborted' | 'timeout' }

/** A caller's certificate, as tokens and records name it. */
export interface ClientCertificate {
  /** SHA-256 of the DER bytes, base64url: what `cnf["x5t#S256"]` of a token is compared with (RFC 8705). */
  readonly thumbprint: string
  /** The subject (`CN=billing,O=…`), or the alternative names of a certificate without one. For people: not unique. */
  readonly subject: string
}

/** One request's connection, as the runtime at hand knows it. */
export interface Connection {
  /** The peer's address, without port; `unknown` where the runtime does not tell. */
  readonly address: string
  /** The certificate of the peer, verified in the handshake. Costs nothing unless it is asked for. */
  readonly clientCertificate: ClientCertificate | undefined
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined
  /** Reads the whole request body, never holding more than `limit` bytes, within `timeoutMs`. */
  readBody(limit: number, timeoutMs: number): Promise<BodyResult>
  /** Calls back once when the client goes away before its answer is complete; at once if it has already gone. */
  onGone(callback: () => void): void
  /** Sends the answer and gives Hono what it wants returned. */
  respond(answer: Answer): Response
}

/** Binds a runtime's sockets to the pipeline. `Context` is what the router hands to handlers. */
export interface Transport<Context> {
  connection(context: Context): Connection
}

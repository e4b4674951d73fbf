/** The part of `Bun.serve` that is used here. Bun's own types would put a second set of globals beside Node's. */
export interface BunServer {
  readonly port: number
  /** Requests whose answers are not complete. */
  readonly pendingRequests: number
  requestIP(request: Request): { readonly address: string } | null
  /** Sets the idle time after which this request's connection is closed; 0 is never. */
  timeout(request: Request, seconds: number): void
  /** Stops accepting; with `true` it also closes every connection. */
  stop(closeActiveConnections?: boolean): Promise<void>
  closeIdleConnections?(): void
}

export interface BunServeOptions {
  readonly hostname: string
  readonly port: number
  /** Other processes may listen on the same port: the kernel deals connections out. */
  readonly reusePort: boolean
  readonly idleTimeout: number
  readonly maxRequestBodySize: number
  fetch(request: Request, server: BunServer): Response | Promise<Response>
  error(error: Error): Response
}

/** @throws TypeError outside Bun */
export function bunServe(options: BunServeOptions): BunServer {
  const { Bun } = globalThis as { Bun?: { serve(options: BunServeOptions): BunServer } }
  if (!Bun) throw new TypeError('this adapter runs on Bun only')
  return Bun.serve(options)
}

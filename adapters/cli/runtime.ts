import type { Context } from 'hono'
import type { Transport } from '../../src/ports/transport.ts'
import type { Upstream } from '../../src/ports/upstream.ts'
import type { serveNode } from '../node/server.ts'

/** What a runtime brings: its sockets, towards callers and towards model servers. */
export interface Runtime {
  readonly name: 'node' | 'bun'
  readonly transport: Transport<Context>
  readonly serve: typeof serveNode
  readonly createUpstream: () => Upstream
}

/** The runtime that this process runs on. The other's adapters, and their libraries, are not loaded. */
export async function currentRuntime(): Promise<Runtime> {
  if (process.versions.bun === undefined) {
    const { serveNode: serve } = await import('../node/server.ts')
    const { nodeTransport: transport } = await import('../node/transport.ts')
    const { createNodeUpstream } = await import('../node/upstream.ts')
    return { name: 'node', transport, serve, createUpstream: () => createNodeUpstream() }
  }
  const { serveBun: serve } = await import('../bun/server.ts')
  const { bunTransport: transport } = await import('../bun/transport.ts')
  const { createBunUpstream } = await import('../bun/upstream.ts')
  return { name: 'bun', transport, serve, createUpstream: () => createBunUpstream() }
}

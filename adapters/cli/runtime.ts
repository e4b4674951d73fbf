import type { Context } from 'hono'
import type { Transport } from '../../src/ports/transport.ts'
import type { Upstream } from '../../src/ports/upstream.ts'
import type { serveNode } from '../node/server.ts'
import type { ClientTlsOf } from '../node/tls/client-tls.ts'
import { CommandFailure } from './failure.ts'

interface UpstreamOptions {
  readonly tlsOf: ClientTlsOf
}

/** What a runtime brings: its sockets, towards callers and towards model servers. */
export interface Runtime {
  readonly name: 'node' | 'bun'
  readonly transport: Transport<Context>
  readonly serve: typeof serveNode
  /** @throws CommandFailure when the environment asks for a client that this runtime does not have */
  readonly createUpstream: (options: UpstreamOptions) => Promise<Upstream>
}

/** Chooses the HTTP client towards model servers; empty counts as not set. */
const CLIENT_VARIABLE = 'SALLYPORT_UPSTREAM_CLIENT'

/**
 * The runtime that this process runs on, with the sockets for a listener with TLS or without. The other's adapters, and their
 * libraries, are not loaded.
 */
export async function currentRuntime(hasTls = false): Promise<Runtime> {
  if (process.versions.bun === undefined) {
    const { serveNode: serve } = await import('../node/server.ts')
    const { nodeTransport: transport } = await import('../node/transport.ts')
    return { name: 'node', transport, serve, createUpstream: createChosenUpstream }
  }
  if (hasTls) {
    const { serveBunTls: serve } = await import('../bun/tls-server.ts')
    const { nodeTransport: transport } = await import('../node/transport.ts')
    return { name: 'bun', transport, serve, createUpstream: createOnlyUpstream }
  }
  const { serveBun: serve } = await import('../bun/server.ts')
  const { bunTransport: transport } = await import('../bun/transport.ts')
  return { name: 'bun', transport, serve, createUpstream: createOnlyUpstream }
}

async function createChosenUpstream(options: UpstreamOptions): Promise<Upstream> {
  const client = process.env[CLIENT_VARIABLE] || 'own'
  if (client === 'own') {
    const { createNodeUpstream } = await import('../node/upstream.ts')
    return createNodeUpstream(options)
  }
  if (client !== 'undici') throw new CommandFailure(`${CLIENT_VARIABLE}: own or undici, not ${JSON.stringify(client)}`)
  // Loaded only here: undici is a large part of what a start would have to load.
  const { createUndiciUpstream } = await import('../node/undici-upstream.ts')
  return createUndiciUpstream(options)
}

async function createOnlyUpstream(options: UpstreamOptions): Promise<Upstream> {
  if (process.env[CLIENT_VARIABLE])
    throw new CommandFailure(`${CLIENT_VARIABLE}: Bun has one client only; leave it out`)
  const { createBunUpstream } = await import('../bun/upstream.ts')
  return createBunUpstream(options)
}

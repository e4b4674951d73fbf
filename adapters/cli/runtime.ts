import type { Context } from 'hono'
import type { Transport } from '../../src/ports/transport.ts'
import type { Upstream } from '../../src/ports/upstream.ts'
import { serveBun } from '../bun/server.ts'
import { bunTransport } from '../bun/transport.ts'
import { createBunUpstream } from '../bun/upstream.ts'
import { serveNode } from '../node/server.ts'
import { nodeTransport } from '../node/transport.ts'
import { createNodeUpstream } from '../node/upstream.ts'
import { CommandFailure } from './failure.ts'

/** What a runtime brings: its sockets, towards callers and towards model servers. */
export interface Runtime {
  readonly name: 'node' | 'bun'
  readonly transport: Transport<Context>
  readonly serve: typeof serveNode
  /** @throws CommandFailure when the environment asks for a client that this runtime does not have */
  readonly createUpstream: () => Promise<Upstream>
}

/** Chooses the HTTP client towards model servers; empty counts as not set. */
const CLIENT_VARIABLE = 'SALLYPORT_UPSTREAM_CLIENT'

/** The runtime that this process runs on. */
export function currentRuntime(): Runtime {
  return process.versions.bun === undefined
    ? { name: 'node', transport: nodeTransport, serve: serveNode, createUpstream: createChosenUpstream }
    : { name: 'bun', transport: bunTransport, serve: serveBun, createUpstream: createOnlyUpstream }
}

async function createChosenUpstream(): Promise<Upstream> {
  const client = process.env[CLIENT_VARIABLE] || 'own'
  if (client === 'own') return createNodeUpstream()
  if (client !== 'undici') throw new CommandFailure(`${CLIENT_VARIABLE}: own or undici, not ${JSON.stringify(client)}`)
  // Loaded only here: undici is a large part of what a start would have to load.
  const { createUndiciUpstream } = await import('../node/undici-upstream.ts')
  return createUndiciUpstream()
}

async function createOnlyUpstream(): Promise<Upstream> {
  if (process.env[CLIENT_VARIABLE])
    throw new CommandFailure(`${CLIENT_VARIABLE}: Bun has one client only; leave it out`)
  return createBunUpstream()
}

import type { Context } from 'hono'
import type { Transport } from '../../src/ports/transport.ts'
import type { Upstream } from '../../src/ports/upstream.ts'
import { serveBun } from '../bun/server.ts'
import { bunTransport } from '../bun/transport.ts'
import { createBunUpstream } from '../bun/upstream.ts'
import { serveNode } from '../node/server.ts'
import { nodeTransport } from '../node/transport.ts'
import { createNodeUpstream } from '../node/upstream.ts'

/** What a runtime brings: its sockets, towards callers and towards model servers. */
export interface Runtime {
  readonly name: 'node' | 'bun'
  readonly transport: Transport<Context>
  readonly serve: typeof serveNode
  readonly createUpstream: () => Upstream
}

/** The runtime that this process runs on. */
export function currentRuntime(): Runtime {
  return process.versions.bun === undefined
    ? { name: 'node', transport: nodeTransport, serve: serveNode, createUpstream: () => createNodeUpstream() }
    : { name: 'bun', transport: bunTransport, serve: serveBun, createUpstream: () => createBunUpstream() }
}

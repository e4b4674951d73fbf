import type { Runtime } from '../support/index.ts'

/** What runs the suite, and what it is called. */
export const RUNTIMES = {
  node: { name: 'Node 24', starts: '`node dist/sallyport.mjs serve`', tested: 'npm test' },
  node26: { name: 'Node 26', starts: '`node dist/sallyport.mjs serve`', tested: 'npm run test:runtimes' },
  bun: { name: 'Bun', starts: '`bun dist/sallyport.mjs serve`', tested: 'npm test' },
  deno: { name: 'Deno', starts: '`deno run … dist/sallyport.mjs serve`', tested: 'npm test' },
} as const satisfies Record<Runtime, { name: string; starts: string; tested: string }>

export interface Capability {
  /** What a runtime either has or lacks. */
  readonly what: string
  /** What is different there, and why. A runtime that is not named has it. */
  readonly lacking: Partial<Record<Runtime, string>>
}

/**
 * Where runtimes differ: the only reasons for which a test of the suite may be left out or expect something else. Rows of
 * docs/reference/runtimes.md.
 */
export const CAPABILITIES = {
  serverLimits: {
    what: '`limits` for the time and size of a head, idle time, connections and requests on one',
    lacking: {
      bun: 'Bun.serve has limits of its own (16 KiB and 12 s for a head) and cannot be told; with `tls` it can',
    },
  },
  heads: {
    what: 'Requests whose heads can be read in two ways are refused: doubled fields, dots in a path, the absolute form',
    lacking: {
      bun: 'Bun.serve resolves dots, joins fields and takes the first host before the gateway sees them: one reading',
    },
  },
  pipelining: {
    what: 'A request behind another on one connection, before its answer, is served',
    lacking: { bun: 'the connection is closed behind the first answer; clients repeat the second' },
  },
  chunkExtensions: {
    what: 'The extension of a chunk has a bound of its own',
    lacking: { deno: 'read past and dropped; what bounds it is the time for the body (`limits.bodyTimeout`)' },
  },
  trailers: {
    what: 'A field behind the last chunk is read past',
    lacking: { bun: 'refused as malformed' },
  },
  plainUpstreamHeads: {
    what: 'Model servers are sent no field but those of the gateway',
    lacking: { bun: '`fetch` adds `user-agent` and `accept-encoding: identity`' },
  },
} as const satisfies Readonly<Record<string, Capability>>

export type CapabilityName = keyof typeof CAPABILITIES

/** Why the runtime lacks it; undefined where it does not. */
export function lacking(runtime: Runtime, name: CapabilityName): string | undefined {
  return (CAPABILITIES[name] as Capability).lacking[runtime]
}

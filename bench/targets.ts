import { join } from 'node:path'
import { freePort, isListening, type RunningProcess, sleep, startProcess } from '../test/support/index.ts'
import type { Cores } from './machine.ts'
import { nginxCommand } from './peers/nginx.ts'
import { portkeyCommand, portkeyHeaders } from './peers/portkey.ts'
import { setUpSallyport } from './sallyport.ts'
import type { Workload } from './workloads.ts'

export const TARGETS = ['direct', 'nginx', 'portkey', 'floor', 'sallyport-node', 'sallyport-bun'] as const
export type TargetName = (typeof TARGETS)[number]

const FLOOR = join(import.meta.dirname, 'peers/floor.ts')
const START_DEADLINE_MS = 20_000

export interface Target {
  readonly port: number
  /** The processes that count as the proxy. */
  readonly pids: readonly number[]
  readonly headers: readonly string[]
  /** From the start of the process until it accepts connections, in ms. */
  readonly startMs: number
  stop(): Promise<unknown>
}

interface Surroundings {
  readonly cores: Cores
  readonly upstreamPort: number
  readonly redisUrl: string
  readonly workloads: readonly Workload[]
}

/** Starts a fresh process of a proxy on its core. */
export async function startTarget(name: TargetName, surroundings: Surroundings): Promise<Target> {
  const { cores, upstreamPort } = surroundings
  if (name === 'direct') return { port: upstreamPort, pids: [], headers: [], startMs: 0, stop: async () => undefined }
  const port = await freePort()
  const { command, env, headers } = await prepare(name, port, surroundings)
  const began = performance.now()
  const server = await startProcess('taskset', ['-c', String(cores.proxy), ...command], { env })
  await listening(server, name, port)
  const startMs = performance.now() - began
  return { port, pids: [server.pid], headers, startMs, stop: () => server.stop() }
}

async function prepare(name: Exclude<TargetName, 'direct'>, port: number, surroundings: Surroundings) {
  const { upstreamPort } = surroundings
  if (name === 'nginx') return { command: nginxCommand(port, upstreamPort), env: {}, headers: [] }
  if (name === 'portkey') {
    return { command: portkeyCommand(port), env: { NODE_ENV: 'production' }, headers: portkeyHeaders(upstreamPort) }
  }
  if (name === 'floor') {
    return { command: [process.execPath, FLOOR, String(port), String(upstreamPort)], env: {}, headers: [] }
  }
  return setUpSallyport({ ...surroundings, port, runtime: name === 'sallyport-bun' ? 'bun' : 'node' })
}

async function listening(server: RunningProcess, name: string, port: number): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS
  let ended = false
  void server.exited.then(() => {
    ended = true
  })
  while (!(await isListening(port))) {
    if (ended || performance.now() > deadline) throw new Error(`${name} does not listen:\n${server.output()}`)
    await sleep(2)
  }
}

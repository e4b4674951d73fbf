import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePort, isListening, type RunningProcess, runProcess, startProcess } from '../../test/support/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = join(ROOT, '.cache/bench')

/** The model server ends after this time by itself. */
const UPSTREAM_SECONDS = 3600

/** What the client is to do; times in seconds. */
export interface Load {
  readonly connections: number
  readonly warmUp: number
  readonly duration: number
  /** Time over which the connections are opened; within the warm-up. */
  readonly ramp?: number
  /** Absent: whole answers. */
  readonly stream?: { readonly events: number; readonly paceMs: number }
}

interface Quantiles {
  readonly p50: number
  readonly p99: number
}

/** What the client prints: times in µs, memory in KiB, processor time in seconds. */
export interface Measured {
  readonly seconds: number
  readonly requests: number
  readonly events: number
  readonly errors: number
  /** From the request to the first event. */
  readonly firstEvent: Quantiles
  /** From the model server's writing of an event to the client's reading of it. */
  readonly transit: Quantiles
  /** From the request to the end of its answer. */
  readonly whole: Quantiles
  readonly proxyCpu: number
  readonly loadCpu: number
  readonly clientCpu: number
  readonly memoryBefore: number
  readonly memoryMost: number
}

/** Compiles one of the two C programs unless that has been done; returns its path. */
async function compiled(name: 'upstream' | 'client'): Promise<string> {
  const source = join(import.meta.dirname, `${name}.c`)
  const program = join(CACHE, name)
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program
  mkdirSync(CACHE, { recursive: true })
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source]
  const { code, stderr } = await runProcess('gcc', flags, { deadlineMs: 60_000 })
  if (code !== 0) throw new Error(`gcc: ${stderr}`)
  return program
}

export interface LoadSide {
  /** Where the model server listens. */
  readonly port: number
  readonly upstreamPid: number
  /** Sends load to a port, measuring the processes behind it. */
  run(target: { port: number; pids: readonly number[]; headers: readonly string[] }, load: Load): Promise<Measured>
  stop(): Promise<unknown>
}

/** Starts the model server on the load's core. */
export async function startLoadSide(core: number): Promise<LoadSide> {
  const [upstream, client] = [await compiled('upstream'), await compiled('client')]
  const port = await freePort()
  const server: RunningProcess = await startProcess(
    'taskset',
    ['-c', String(core), upstream, String(port), String(UPSTREAM_SECONDS)],
    { ready: () => isListening(port) },
  )
  return {
    port,
    upstreamPid: server.pid,
    async run(target, { connections, warmUp, duration, ramp = 0, stream }) {
      const options = { p: target.port, c: connections, d: duration, w: warmUp, r: ramp, l: server.pid }
      const flags = Object.entries(options).flatMap(([name, value]) => [`-${name}`, String(value)])
      if (stream) flags.push('-s', '-n', String(stream.events), '-t', String(stream.paceMs))
      if (target.pids.length > 0) flags.push('-k', target.pids.join())
      for (const header of target.headers) flags.push('-H', header)
      const { code, stdout, stderr } = await runProcess('taskset', ['-c', String(core), client, ...flags], {
        deadlineMs: (warmUp + duration + 20) * 1000,
      })
      if (code !== 0) throw new Error(`the load client ended with ${code}: ${stderr}`)
      const measured = JSON.parse(stdout) as Measured
      if (stderr !== '') console.error(stderr.trim())
      return measured
    },
    stop: () => server.stop('SIGKILL'),
  }
}

import { spawn } from 'node:child_process'
import { onCleanup } from './cleanup.ts'
import { waitFor, within } from './wait.ts'

const MAX_OUTPUT = 256 * 1024
const STOP_DEADLINE_MS = 10_000

export interface StartOptions {
  readonly cwd?: string
  /** On top of this process's own; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What it reads on standard input; nothing unless given. */
  readonly input?: string
  /** What the output says, or what is true, once the process does its work. Without it, `startProcess` does not wait. */
  readonly ready?: RegExp | (() => boolean | Promise<boolean>)
  readonly deadlineMs?: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface RunningProcess extends AsyncDisposable {
  readonly pid: number
  readonly exited: Promise<Exit>
  /** The last 256 KiB of standard output and standard error, each and together in the order they came. */
  stdout(): string
  stderr(): string
  output(): string
  signal(signal: NodeJS.Signals): void
  /** SIGTERM unless told otherwise; SIGKILL when that does not end it in 10 s. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
}

function boundedText() {
  let text = ''
  return { add: (more: string) => void (text = (text + more).slice(-MAX_OUTPUT)), read: () => text }
}

/** Starts a program and waits until it is ready. It is killed after the tests whatever happens, by its own process id. */
export async function startProcess(
  command: string,
  args: readonly string[],
  { cwd, env, input = '', ready, deadlineMs = 15_000 }: StartOptions = {},
): Promise<RunningProcess> {
  const label = [command.split('/').at(-1), ...args].join(' ').slice(0, 120)
  const [stdout, stderr, output] = [boundedText(), boundedText(), boundedText()]
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' })
  child.stdin.on('error', () => undefined) // it may end without reading all of it
  child.stdin.end(input)
  const forget = onCleanup(() => child.kill('SIGKILL'))
  for (const [stream, text] of [[child.stdout, stdout] as const, [child.stderr, stderr] as const])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text.add(chunk)
      output.add(chunk)
    })

  let exit: Exit | undefined
  const { promise: exited, resolve } = Promise.withResolvers<Exit>()
  child.once('error', error => output.add(String(error)))
  child.once('close', (code, signal) => {
    forget()
    exit = { code, signal }
    resolve(exit)
  })

  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    try {
      return await within(`${label}: stop`, STOP_DEADLINE_MS, exited)
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  const isReady = async () => {
    if (exit) throw new Error(`ended (${exit.signal ?? exit.code}) before it was ready`)
    return ready instanceof RegExp ? ready.test(output.read()) : await ready?.()
  }
  try {
    if (ready) await waitFor('ready', isReady, deadlineMs)
    if (child.pid === undefined) throw new Error('not started')
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`${label}: ${(error as Error).message}\n${output.read().slice(-4000)}`, { cause: error })
  }
  return {
    pid: child.pid,
    exited,
    stdout: stdout.read,
    stderr: stderr.read,
    output: output.read,
    signal: name => void child.kill(name),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
}

export interface Completed extends Exit {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, whatever its exit status. */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Completed> {
  const running = await startProcess(command, args, options)
  const exit = await within(`${command} ${args.join(' ')}`, options.deadlineMs ?? 15_000, running.exited)
  return { ...exit, stdout: running.stdout(), stderr: running.stderr() }
}

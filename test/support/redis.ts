import { freePort } from './ports.ts'
import { type Exit, startProcess } from './process.ts'
import { tempDir } from './temp-dir.ts'

export interface Redis extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly pid: number
  stop(): Promise<Exit>
  /** Freezes the server: connections stay open and nothing answers. */
  pause(): void
  resume(): void
}

/** A Redis of the test's own, with nothing on disk. Given a port, it can come back where one was stopped. */
export async function startRedis({ port, args = [] }: { port?: number; args?: string[] } = {}): Promise<Redis> {
  const at = port ?? (await freePort())
  const settings = ['--port', String(at), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tempDir()]
  const server = await startProcess('redis-server', [...settings, ...args], { ready: /Ready to accept connections/ })
  const stop = async () => {
    server.signal('SIGCONT') // a frozen server would not hear the rest
    return await server.stop()
  }
  return {
    url: `redis://127.0.0.1:${at}/0`,
    port: at,
    pid: server.pid,
    stop,
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
}

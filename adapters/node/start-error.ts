/** The gateway cannot start as it was told to. The message names the file or the address and can be shown as it is. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is already in use',
  EACCES: 'this user may not open that port',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
}

export function listenError(host: string, port: number, error: unknown): StartError {
  const code = (error as { code?: string }).code ?? ''
  const reason = LISTEN_FAULTS[code] ?? (error instanceof Error ? error.message : String(error))
  return new StartError(`cannot listen on ${host}:${port}: ${reason}`, { cause: error })
}

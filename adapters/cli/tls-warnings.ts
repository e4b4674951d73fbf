import type { TlsConfig } from '../../src/config/config.ts'
import { at, type Fault } from '../../src/config/fault.ts'
import { describeDue, dueOf } from '../node/tls/expiry.ts'
import { endingsOf, readTlsFiles } from '../node/tls/tls-files.ts'

const SETTINGS = {
  server_certificate: 'cert',
  client_authority: 'clientCa',
  revocation_list: 'crl',
} as const

/** What is wrong with a listener's files now, or soon will be; `path` is where they are in the configuration. */
export async function tlsWarnings(path: string, tls: TlsConfig): Promise<Fault[]> {
  try {
    const endings = endingsOf(tls, await readTlsFiles(tls))
    return dueOf(endings, Date.now()).map(due => ({
      path: at(path, SETTINGS[due.what]),
      reason: `${due.file}: ${describeDue(due)}`,
    }))
  } catch (error) {
    return [{ path, reason: `${(error as Error).message}; serve refuses to start with it` }]
  }
}

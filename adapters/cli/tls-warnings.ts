import type { TlsConfig } from '../../src/config/config.ts'
import type { Fault } from '../../src/config/fault.ts'
import { describeDue, dueOf } from '../node/tls/expiry.ts'
import { endingsOf, readTlsFiles } from '../node/tls/tls-files.ts'

const SETTINGS = {
  server_certificate: 'tls.cert',
  client_authority: 'tls.clientCa',
  revocation_list: 'tls.crl',
} as const

/** What is wrong with a listener's files now, or soon will be. */
export async function tlsWarnings(tls: TlsConfig): Promise<Fault[]> {
  try {
    const endings = endingsOf(tls, await readTlsFiles(tls))
    return dueOf(endings, Date.now()).map(due => ({
      path: SETTINGS[due.what],
      reason: `${due.file}: ${describeDue(due)}`,
    }))
  } catch (error) {
    return [{ path: 'tls', reason: `${(error as Error).message}; serve refuses to start with it` }]
  }
}

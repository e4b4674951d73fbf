import { clientTlsPlaces } from '../../src/config/client-tls.ts'
import type { Config } from '../../src/config/config.ts'
import { at, type Fault } from '../../src/config/fault.ts'
import { readClientTls } from '../node/tls/client-tls-files.ts'
import { describeDue, dueOf, type Ending } from '../node/tls/expiry.ts'
import { endingsOf, readTlsFiles } from '../node/tls/tls-files.ts'

const SETTINGS = {
  server_certificate: 'cert',
  client_authority: 'clientCa',
  revocation_list: 'crl',
  client_certificate: 'cert',
  server_authority: 'ca',
} as const satisfies Record<Ending['what'], string>

/** What is wrong with the TLS files of listeners and of servers that are called now, or soon will be. */
export async function tlsWarnings(config: Config): Promise<Fault[]> {
  const { tls, admin } = config
  const listeners = [
    ...(tls ? [{ path: 'tls', tls }] : []),
    ...(admin?.tls && admin.tls.cert !== tls?.cert ? [{ path: 'admin.tls', tls: admin.tls }] : []),
  ]
  const warnings = await Promise.all([
    ...listeners.map(one => warningsOf(one.path, async () => endingsOf(one.tls, await readTlsFiles(one.tls)))),
    ...clientTlsPlaces(config).map(one => warningsOf(one.path, async () => (await readClientTls(one.tls)).endings)),
  ])
  return warnings.flat()
}

/** @param path where the files are in the configuration */
async function warningsOf(path: string, endings: () => Promise<readonly Ending[]>): Promise<Fault[]> {
  try {
    return dueOf(await endings(), Date.now()).map(due => ({
      path: at(path, SETTINGS[due.what]),
      reason: `${due.file}: ${describeDue(due)}`,
    }))
  } catch (error) {
    return [{ path, reason: `${(error as Error).message}; serve refuses to start with it` }]
  }
}

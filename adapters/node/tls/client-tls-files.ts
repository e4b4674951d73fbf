import type { ClientTlsPlace } from '../../../src/config/client-tls.ts'
import type { ClientTlsConfig } from '../../../src/config/client-tls-config.ts'
import type { Telemetry } from '../../../src/ports/telemetry.ts'
import { reasonOf } from '../error-code.ts'
import { StartError } from '../start-error.ts'
import { FileWatch } from '../watch-files.ts'
import type { ClientTls, ClientTlsOf } from './client-tls.ts'
import { daily, type Ending, endingsIn, warnOfDue } from './expiry.ts'
import { parseCertificates, parsePrivateKey, readPem } from './pem.ts'

/** The files' contents, known to be usable. */
export interface ClientTlsMaterial {
  readonly tls: ClientTls
  readonly endings: readonly Ending[]
}

/**
 * The files of TLS towards model servers and validators: read and checked at start, and again when they change. Files
 * that turn out to be no good leave what was there before in force.
 */
export class ClientTlsFiles {
  readonly #telemetry: Telemetry
  readonly #loaded = new Map<string, ClientTlsMaterial>()
  readonly #watches: FileWatch[] = []
  #stopWarning: (() => void) | undefined

  private constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
  }

  /** @throws StartError naming the key of the configuration and the file */
  static async open(places: readonly ClientTlsPlace[], telemetry: Telemetry): Promise<ClientTlsFiles> {
    const files = new ClientTlsFiles(telemetry)
    try {
      for (const { path, origin, tls } of places) {
        try {
          await files.#follow(origin, tls)
        } catch (error) {
          throw new StartError(`${path}: ${reasonOf(error)}`, { cause: error })
        }
      }
    } catch (error) {
      files.close()
      throw error
    }
    files.#stopWarning = daily(() => {
      for (const [origin, endings] of files.endings) warnOfDue(endings, telemetry, origin)
    })
    return files
  }

  readonly of: ClientTlsOf = origin => this.#loaded.get(origin)?.tls

  /** What ends, and when, by origin: now, since files change. */
  get endings(): ReadonlyMap<string, readonly Ending[]> {
    return new Map([...this.#loaded].map(([origin, { endings }]) => [origin, endings]))
  }

  close(): void {
    this.#stopWarning?.()
    for (const watch of this.#watches) watch.close()
  }

  async #follow(origin: string, tls: ClientTlsConfig): Promise<void> {
    const watch = await FileWatch.of([tls.ca, tls.cert, tls.key].filter(path => path !== undefined))
    this.#loaded.set(origin, await readClientTls(tls))
    watch.start(() => this.#reload(origin, tls))
    this.#watches.push(watch)
  }

  /** Whether the files could be used. */
  async #reload(origin: string, config: ClientTlsConfig): Promise<boolean> {
    try {
      const loaded = await readClientTls(config)
      this.#loaded.set(origin, loaded)
      this.#telemetry.log('info', 'upstream_certificates_reloaded', { upstream: origin })
      warnOfDue(loaded.endings, this.#telemetry, origin)
      return true
    } catch (error) {
      // A certificate is often written a moment before its key: the next look finds both.
      this.#telemetry.log('error', 'upstream_certificates_kept', { upstream: origin, reason: reasonOf(error) })
      return false
    }
  }
}

/** @throws StartError naming the file */
export async function readClientTls({ ca, cert, key, serverName }: ClientTlsConfig): Promise<ClientTlsMaterial> {
  const named = serverName === undefined ? {} : { serverName }
  const authorities = ca === undefined ? undefined : await readPem(ca)
  const trust = authorities === undefined ? named : { ca: authorities, ...named }
  const trusted =
    ca === undefined || authorities === undefined
      ? []
      : endingsIn('server_authority', ca, parseCertificates(authorities, ca))
  if (cert === undefined || key === undefined) return { tls: trust, endings: trusted }
  const [certificate, privateKey] = [await readPem(cert), await readPem(key)]
  const chain = parseCertificates(certificate, cert)
  if (!chain[0].checkPrivateKey(parsePrivateKey(privateKey, key))) {
    throw new StartError(`${key}: this key does not belong to the certificate in ${cert}`)
  }
  const endings = [...trusted, ...endingsIn('client_certificate', cert, chain)]
  return { tls: { ...trust, cert: certificate, key: privateKey }, endings }
}

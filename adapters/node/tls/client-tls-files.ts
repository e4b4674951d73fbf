import type { X509Certificate } from 'node:crypto'
import type { ClientTlsPlace } from '../../../src/config/client-tls.ts'
import type { ClientTlsConfig } from '../../../src/config/client-tls-config.ts'
import type { Telemetry } from '../../../src/ports/telemetry.ts'
import { reasonOf } from '../error-code.ts'
import { StartError } from '../start-error.ts'
import { FileWatch } from '../watch-files.ts'
import type { ClientTls, ClientTlsOf } from './client-tls.ts'
import { parseCertificates, parsePrivateKey, readPem } from './pem.ts'

const DAY_MS = 86_400_000
/** Time to renew a certificate by hand. */
const SOON_DAYS = 30

/** When the first certificate of one file ends. */
interface Ending {
  readonly file: string
  readonly endsAtMs: number
}

interface Loaded {
  readonly tls: ClientTls
  readonly endings: readonly Ending[]
}

/**
 * The files of TLS towards model servers and validators: read and checked at start, and again when they change. Files
 * that turn out to be no good leave what was there before in force.
 */
export class ClientTlsFiles {
  readonly #telemetry: Telemetry
  readonly #loaded = new Map<string, Loaded>()
  readonly #watches: FileWatch[] = []
  readonly #timer: NodeJS.Timeout

  private constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
    this.#timer = setInterval(() => this.#warn(), DAY_MS).unref()
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
    files.#warn()
    return files
  }

  readonly of: ClientTlsOf = origin => this.#loaded.get(origin)?.tls

  /** Milliseconds since the Unix epoch at which the first certificate ends, by origin. */
  get endings(): ReadonlyMap<string, number> {
    const first = ({ endings }: Loaded) => Math.min(...endings.map(({ endsAtMs }) => endsAtMs))
    return new Map([...this.#loaded].map(([origin, loaded]) => [origin, first(loaded)]))
  }

  close(): void {
    clearInterval(this.#timer)
    for (const watch of this.#watches) watch.close()
  }

  async #follow(origin: string, tls: ClientTlsConfig): Promise<void> {
    const watch = await FileWatch.of([tls.ca, tls.cert, tls.key].filter(path => path !== undefined))
    this.#loaded.set(origin, await load(tls))
    watch.start(() => this.#reload(origin, tls))
    this.#watches.push(watch)
  }

  /** Whether the files could be used. */
  async #reload(origin: string, config: ClientTlsConfig): Promise<boolean> {
    try {
      this.#loaded.set(origin, await load(config))
      this.#telemetry.log('info', 'upstream_certificates_reloaded', { upstream: origin })
      this.#warn()
      return true
    } catch (error) {
      // A certificate is often written a moment before its key: the next look finds both.
      this.#telemetry.log('error', 'upstream_certificates_kept', { upstream: origin, reason: reasonOf(error) })
      return false
    }
  }

  #warn(): void {
    for (const [upstream, { endings }] of this.#loaded) {
      for (const { file, endsAtMs } of endings) {
        const days = Math.floor((endsAtMs - Date.now()) / DAY_MS)
        if (days >= SOON_DAYS) continue
        this.#telemetry.log(days < 0 ? 'error' : 'warn', 'upstream_certificate_expires', { upstream, file, days })
      }
    }
  }
}

async function load({ ca, cert, key, serverName }: ClientTlsConfig): Promise<Loaded> {
  const endings: Ending[] = []
  const named = serverName === undefined ? {} : { serverName }
  const authorities = ca === undefined ? undefined : await readPem(ca)
  if (ca !== undefined && authorities !== undefined) endings.push(ending(parseCertificates(authorities, ca), ca))
  const trust = authorities === undefined ? named : { ca: authorities, ...named }
  if (cert === undefined || key === undefined) return { tls: trust, endings }
  const [certificate, privateKey] = [await readPem(cert), await readPem(key)]
  const chain = parseCertificates(certificate, cert)
  if (!chain[0].checkPrivateKey(parsePrivateKey(privateKey, key))) {
    throw new StartError(`${key}: this key does not belong to the certificate in ${cert}`)
  }
  endings.push(ending(chain, cert))
  return { tls: { ...trust, cert: certificate, key: privateKey }, endings }
}

function ending(certificates: readonly X509Certificate[], file: string): Ending {
  return { file, endsAtMs: Math.min(...certificates.map(({ validTo }) => Date.parse(validTo))) }
}

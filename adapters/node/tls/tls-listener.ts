import type { Server } from 'node:https'
import type { SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls'
import type { Telemetry } from '../../../src/ports/telemetry.ts'
import { StartError } from '../start-error.ts'
import { FileWatch } from '../watch-files.ts'
import { warnOfExpiry } from './expiry.ts'
import { chainOf, peerOf, shownBy } from './peer.ts'
import { isRevoked } from './revocation-list.ts'
import { endingsOf, readTlsFiles, type TlsFiles, type TlsMaterial } from './tls-files.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000

/** What runtimes call the reasons for which no caller is let in. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'no_certificate',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown_authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown_authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown_authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown_authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown_authority',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not_yet_valid',
  INVALID_PURPOSE: 'wrong_usage',
  CERT_REVOKED: 'revoked',
  CRL_HAS_EXPIRED: 'revocation_list_expired',
  UNABLE_TO_GET_CRL: 'no_revocation_list',
}

type TlsServer = Pick<Server, 'on' | 'setSecureContext'>

/**
 * The certificates of one listener. New files are taken without a restart, and without touching connections that the new
 * ones still allow: handshakes from then on see them. Files that cannot be used change nothing. Who is revoked, or whose
 * authority is gone, loses his connections at once, streams included.
 */
export class TlsListener {
  readonly #files: TlsFiles
  readonly #telemetry: Telemetry
  readonly #sockets = new Set<TLSSocket>()
  #material: TlsMaterial
  readonly #watch: FileWatch
  #stopWarning: (() => void) | undefined
  #secondLook: NodeJS.Timeout | undefined

  /** @throws StartError naming the file that cannot be used */
  static async open(files: TlsFiles, telemetry: Telemetry): Promise<TlsListener> {
    const watch = await FileWatch.of(pathsOf(files))
    const material = await readTlsFiles(files)
    const ended = endingsOf(files, material).find(({ what, endsAtMs }) => {
      return what !== 'client_authority' && endsAtMs <= Date.now()
    })
    if (ended) throw new StartError(`${ended.file}: has expired (${new Date(ended.endsAtMs).toISOString()})`)
    return new TlsListener(files, material, watch, telemetry)
  }

  private constructor(files: TlsFiles, material: TlsMaterial, watch: FileWatch, telemetry: Telemetry) {
    this.#files = files
    this.#material = material
    this.#watch = watch
    this.#telemetry = telemetry
  }

  /** For the server's constructor. */
  get options(): TlsOptions {
    const { clientAuth } = this.#material
    return {
      ...this.#context(),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      requestCert: clientAuth !== 'off',
      // With `optional` that is decided in `#onSecure`: it takes those who show none.
      rejectUnauthorized: clientAuth === 'required',
    }
  }

  /** Follows a server's connections and the files from now on. */
  attach(server: TlsServer): void {
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket | undefined) => {
      this.#refused(String(socket?.authorizationError ?? error.code))
    })
    server.on('secureConnection', socket => this.#onSecure(socket))
    this.#watch.start(() => this.#reload(server))
    this.#stopWarning = warnOfExpiry(() => endingsOf(this.#files, this.#material), this.#telemetry)
  }

  /** Whether a request on this connection may be looked at: the certificate may have ended since the handshake. */
  admits(socket: object): boolean {
    const { clientAuth } = this.#material
    if (clientAuth === 'off') return true
    if ((socket as TLSSocket).destroyed) return false
    const peer = peerOf(socket)
    return peer === undefined ? clientAuth === 'optional' : peer.endsAtMs > Date.now()
  }

  close(): void {
    this.#watch.close()
    this.#stopWarning?.()
    clearTimeout(this.#secondLook)
  }

  #context(): SecureContextOptions {
    const { cert, key, authorities, revocationLists } = this.#material
    return {
      cert,
      key,
      minVersion: this.#files.minVersion ?? 'TLSv1.2',
      ...(authorities.length > 0 && { ca: authorities.map(String) }),
      ...(revocationLists.length > 0 && { crl: revocationLists.map(({ pem }) => pem) }),
    }
  }

  #onSecure(socket: TLSSocket): void {
    if (this.#material.clientAuth === 'off') return
    const shown = shownBy(socket)
    const isBad = shown === undefined ? this.#material.clientAuth === 'required' : !this.#vouchesFor(socket)
    if (isBad) {
      this.#refused(String(socket.authorizationError ?? 'CERT_REVOKED'))
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Behind the TLS library: what it does not look at again, such as a resumed session, is looked at here. */
  #vouchesFor(socket: TLSSocket): boolean {
    const peer = peerOf(socket)
    if (peer === undefined || peer.endsAtMs <= Date.now()) return false
    return !this.#material.revocationLists.some(list => isRevoked(peer.certificate, list))
  }

  #refused(code: string): void {
    const reason = REASONS[code] ?? 'other'
    this.#telemetry.log('debug', 'tls_handshake_failed', { code, reason })
    this.#telemetry.count('sallyport_tls_handshakes_refused_total', { reason })
  }

  async #reload(server: TlsServer): Promise<void> {
    const before = this.#material
    try {
      this.#material = await readTlsFiles(this.#files)
      server.setSecureContext(this.#context())
    } catch (error) {
      this.#material = before
      const reason = error instanceof Error ? error.message : 'unknown'
      this.#telemetry.log('error', 'certificates_not_reloaded', { reason })
      this.#telemetry.count('sallyport_certificate_reloads_total', { result: 'failed' })
      return
    }
    let cut = 0
    if (trustOf(this.#material) !== trustOf(before)) {
      cut = this.#cutOff()
      // Handshakes that had begun end under the old authorities.
      clearTimeout(this.#secondLook)
      this.#secondLook = setTimeout(() => this.#cutOff(), HANDSHAKE_TIMEOUT_MS).unref()
    }
    const { serialNumber, validTo } = this.#material.certificate
    this.#telemetry.log('info', 'certificates_reloaded', { serial: serialNumber, validTo, connectionsCut: cut })
    this.#telemetry.count('sallyport_certificate_reloads_total', { result: 'loaded' })
  }

  /** Closes the connections of those whom the new files no longer vouch for; returns how many. */
  #cutOff(): number {
    const { authorities, revocationLists } = this.#material
    const known = new Set(authorities.map(({ fingerprint256 }) => fingerprint256))
    let cut = 0
    for (const socket of this.#sockets) {
      if (peerOf(socket) === undefined) continue
      const chain = chainOf(socket)
      const isVouchedFor = chain.some(
        link => known.has(link.fingerprint256) || authorities.some(({ publicKey }) => link.verify(publicKey)),
      )
      if (isVouchedFor && !chain.some(link => revocationLists.some(list => isRevoked(link, list)))) continue
      cut += 1
      socket.destroy()
    }
    return cut
  }
}

/** Who vouches for callers, and for whom no more. */
function trustOf({ authorities, revocationLists }: TlsMaterial): string {
  return [...authorities.map(({ fingerprint256 }) => fingerprint256), ...revocationLists.map(({ pem }) => pem)].join()
}

function pathsOf({ cert, key, clientCa, crl }: TlsFiles): string[] {
  return [cert, key, clientCa, crl].filter(path => path !== undefined)
}

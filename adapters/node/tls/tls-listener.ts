import { constants, type X509Certificate } from 'node:crypto'
import type { Server } from 'node:https'
import type { SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls'
import type { Telemetry } from '../../../src/ports/telemetry.ts'
import { FileWatch } from '../watch-files.ts'
import { daily, type Ending, warnOfDue } from './expiry.ts'
import { chainOf, type Peer, peerOf, shownBy } from './peer.ts'
import { isRevoked } from './revocation-list.ts'
import { endingsOf, readTlsFiles, type TlsFiles, type TlsMaterial } from './tls-files.ts'
import { endOf, isVouchedFor, vouchedUntil } from './trust.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
/** All of TLS 1.3; of TLS 1.2 those with forward secrecy that encrypt and authenticate at once. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

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
  CRL_NOT_YET_VALID: 'revocation_list_not_yet_valid',
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
  /** Handshakes that had begun by then end under the authorities of before; on `performance.now()`. */
  #trustChangedMs = Number.NEGATIVE_INFINITY
  /** Until when authorities of now vouch for a connection: found out once. */
  #vouchedUntilMs = new WeakMap<TLSSocket, number>()

  /** @throws StartError naming the file that cannot be used */
  static async open(files: TlsFiles, telemetry: Telemetry): Promise<TlsListener> {
    const watch = await FileWatch.of(pathsOf(files))
    const material = await readTlsFiles(files)
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

  /** What of this listener ends, and when: now, since files change. */
  get endings(): Ending[] {
    return endingsOf(this.#files, this.#material)
  }

  /** Follows a server's connections and the files from now on. */
  attach(server: TlsServer): void {
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket | undefined) => {
      this.#refused(String(socket?.authorizationError ?? error.code))
    })
    server.on('secureConnection', socket => this.#onSecure(socket))
    this.#watch.start(() => this.#reload(server))
    this.#stopWarning = daily(() => warnOfDue(this.endings, this.#telemetry))
  }

  /** Whether a request on this connection may be looked at: what vouches for it may have ended since the handshake. */
  admits(socket: object): boolean {
    const { clientAuth } = this.#material
    if (clientAuth === 'off') return true
    if ((socket as TLSSocket).destroyed) return false
    const peer = peerOf(socket)
    return peer === undefined ? clientAuth === 'optional' : this.#endOf(peer, socket as TLSSocket) === undefined
  }

  close(): void {
    this.#watch.close()
    this.#stopWarning?.()
  }

  #context(): SecureContextOptions {
    const { cert, key, authorities, revocationLists } = this.#material
    return {
      cert,
      key,
      minVersion: this.#files.minVersion ?? 'TLSv1.2',
      ciphers: CIPHERS,
      // Who calls is settled by the first handshake of a connection.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      ...(authorities.length > 0 && { ca: authorities.map(String) }),
      ...(revocationLists.length > 0 && { crl: revocationLists.map(({ pem }) => pem) }),
    }
  }

  #onSecure(socket: TLSSocket): void {
    if (this.#material.clientAuth === 'off') return
    const fault = this.#faultOf(socket)
    if (fault !== undefined) {
      this.#refused(fault)
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Behind the TLS library: what it does not look at again, such as a resumed session, is looked at here. */
  #faultOf(socket: TLSSocket): string | undefined {
    const { clientAuth } = this.#material
    const peer = peerOf(socket)
    if (peer === undefined) {
      if (shownBy(socket) !== undefined) return String(socket.authorizationError)
      return clientAuth === 'required' ? 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' : undefined
    }
    const ended = this.#endOf(peer, socket)
    if (ended !== undefined) return ended
    if (this.#isRevoked(peer.certificate)) return 'CERT_REVOKED'
    const mayHaveBegunBefore = performance.now() - this.#trustChangedMs < HANDSHAKE_TIMEOUT_MS
    return mayHaveBegunBefore && !this.#standsFor(socket) ? 'UNABLE_TO_GET_ISSUER_CERT' : undefined
  }

  /** What has ended of all that lets this caller in; undefined when nothing has. */
  #endOf(peer: Peer, socket: TLSSocket): string | undefined {
    const { listsEndAtMs, authoritiesEndAtMs } = this.#material
    const now = Date.now()
    if (peer.endsAtMs <= now) return 'CERT_HAS_EXPIRED'
    if (listsEndAtMs <= now) return 'CRL_HAS_EXPIRED'
    // As long as no authority has ended, it is of no interest which one vouches for whom.
    return authoritiesEndAtMs <= now && this.#vouchedUntil(socket) <= now ? 'CERT_HAS_EXPIRED' : undefined
  }

  #vouchedUntil(socket: TLSSocket): number {
    const known = this.#vouchedUntilMs.get(socket)
    if (known !== undefined) return known
    const { authorities } = this.#material
    // Bun does not show the intermediates that came along: then nobody vouches for longer than the last authority.
    const untilMs = vouchedUntil(chainOf(socket), authorities) ?? Math.max(...authorities.map(endOf))
    this.#vouchedUntilMs.set(socket, untilMs)
    return untilMs
  }

  #refused(code: string): void {
    const reason = REASONS[code] ?? 'other'
    this.#telemetry.log('debug', 'tls_handshake_failed', { code, reason })
    this.#telemetry.count('sallyport_tls_handshakes_refused_total', { reason })
  }

  /** Whether the files could be used. */
  async #reload(server: TlsServer): Promise<boolean> {
    const before = this.#material
    try {
      this.#material = await readTlsFiles(this.#files)
      server.setSecureContext(this.#context())
    } catch (error) {
      this.#material = before
      const reason = error instanceof Error ? error.message : 'unknown'
      this.#telemetry.log('error', 'certificates_not_reloaded', { reason })
      this.#telemetry.count('sallyport_certificate_reloads_total', { result: 'failed' })
      return false
    }
    this.#vouchedUntilMs = new WeakMap()
    const cut = trustOf(this.#material) === trustOf(before) ? 0 : this.#cutOff()
    const { serialNumber, validTo } = this.#material.chain[0]
    this.#telemetry.log('info', 'certificates_reloaded', { serial: serialNumber, validTo, connectionsCut: cut })
    this.#telemetry.count('sallyport_certificate_reloads_total', { result: 'loaded' })
    return true
  }

  /** Closes the connections of those whom the new files no longer vouch for; returns how many. */
  #cutOff(): number {
    this.#trustChangedMs = performance.now()
    const lost = [...this.#sockets].filter(socket => peerOf(socket) !== undefined && !this.#standsFor(socket))
    for (const socket of lost) socket.destroy()
    return lost.length
  }

  /** Whether the files of now vouch for who is at the other end. */
  #standsFor(socket: TLSSocket): boolean {
    const chain = chainOf(socket)
    return isVouchedFor(chain, this.#material.authorities) && !chain.some(link => this.#isRevoked(link))
  }

  #isRevoked(certificate: X509Certificate): boolean {
    return this.#material.revocationLists.some(list => isRevoked(certificate, list))
  }
}

/** Who vouches for callers, and for whom no more. */
function trustOf({ authorities, revocationLists }: TlsMaterial): string {
  return [...authorities.map(({ fingerprint256 }) => fingerprint256), ...revocationLists.map(({ pem }) => pem)].join()
}

function pathsOf({ cert, key, clientCa, crl }: TlsFiles): string[] {
  return [cert, key, clientCa, crl].filter(path => path !== undefined)
}

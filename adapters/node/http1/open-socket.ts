import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ClientTls } from '../tls/client-tls.ts'

/** Where connections of one pool go. */
export interface Origin {
  /** As in `http://host:port`, for messages. */
  readonly name: string
  readonly isSecure: boolean
  /** A name or an address, without brackets. */
  readonly hostname: string
  readonly port: number
  /** Who the server has to be and who we are; undefined: by the platform's authorities, nobody. */
  readonly tls: ClientTls | undefined
  /** Of the last TLS connection, to shorten the next handshake. */
  session: Buffer | undefined
}

/** Takes what a read brought, within the call; false stops the reading until the socket is resumed. */
export type OnRead = (length: number, buffer: Buffer) => boolean

/**
 * Node reads into it and calls back before the next read of any socket, so one is enough for all. The way around
 * streams, which take a new 64 KiB a read, is most of what this client saves (measured: 11 µs an event, 15 with them).
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024)

/** Notices a machine that is gone without a word, on a connection that waits for a long answer. */
const PROBE_AFTER_MS = 60_000

/** @throws TypeError for a URL that is neither http: nor https: */
export function originOf(url: URL, tls?: ClientTls): Origin {
  const isSecure = url.protocol === 'https:'
  if (!isSecure && url.protocol !== 'http:') throw new TypeError(`not an http: or https: URL: ${url.protocol}`)
  return {
    name: url.origin,
    isSecure,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (isSecure ? 443 : 80),
    tls,
    session: undefined,
  }
}

/** Begins to connect, over TCP or TLS. */
export function openSocket(origin: Origin, onRead: OnRead): Socket {
  const options = {
    host: origin.hostname,
    port: origin.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: PROBE_AFTER_MS,
    onread: { buffer: READ_BUFFER, callback: onRead as (length: number, buffer: Uint8Array) => boolean },
  }
  if (!origin.isSecure) return connectTcp(options)
  const { ca, cert, key, serverName } = origin.tls ?? {}
  const name = serverName ?? (isIP(origin.hostname) ? undefined : origin.hostname)
  const socket = connectTls({
    ...options,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key }),
    minVersion: 'TLSv1.2',
    // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED in the environment changes nothing.
    rejectUnauthorized: true,
    // A server that speaks HTTP/2 too must not choose it.
    ALPNProtocols: ['http/1.1'],
    ...(name === undefined ? {} : { servername: name }),
    ...(origin.session ? { session: origin.session } : {}),
  })
  return socket.on('session', session => {
    origin.session = session
  })
}

import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SendBytes } from '../../../src/audit/forward/syslog.ts'
import { reasonOf } from '../error-code.ts'
import type { ClientTls } from '../tls/client-tls.ts'

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'tls:': 6514, 'tcp:': 601 }

/**
 * A receiver that does not let this sender in says so by closing, after the handshake and after it was written to (measured with
 * rsyslog: within 3 ms). Only a connection that is still open after this time can be closed by us, and its end mean anything.
 */
const SETTLE_MS = 500

/**
 * A connection to a syslog receiver for each batch. Syslog has no acknowledgement; what stands in for one is the end of the
 * connection (RFC 5425, 4.4): a receiver that closes it in answer to our closing has read all that was before. One that went
 * away with something unread resets it, or says nothing.
 */
export function syslogConnection(url: string, tlsOf: () => ClientTls | undefined): SendBytes {
  const { protocol, hostname: bracketed, port } = new URL(url)
  const host = bracketed.replace(/^\[(.*)\]$/, '$1')
  const target = { host, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 514) : Number(port) }

  function open(): Socket {
    if (protocol !== 'tls:') return connectTcp({ ...target, allowHalfOpen: true })
    const { serverName, ...files } = tlsOf() ?? {}
    const servername = serverName ?? (isIP(host) === 0 ? host : undefined)
    return connectTls({
      ...target,
      ...files,
      ...(servername !== undefined && { servername }),
      rejectUnauthorized: true,
    })
  }

  return (bytes, signal) =>
    new Promise((resolve, reject) => {
      const socket = open()
      let isEnding = false
      let isConfirmed = false
      let settling: NodeJS.Timeout | undefined
      const fail = (reason: string) => {
        reject(new Error(`${protocol}//${target.host}:${target.port}: ${reason}`))
        socket.destroy()
      }
      const abort = () => fail(isEnding ? 'it did not close the connection in time' : 'it did not take all in time')
      signal.addEventListener('abort', abort, { once: true })
      socket.once(protocol === 'tls:' ? 'secureConnect' : 'connect', () => {
        socket.write(bytes, () => {
          settling = setTimeout(() => {
            isEnding = true
            socket.end()
          }, SETTLE_MS)
        })
      })
      // Nothing is expected from it but the end.
      socket.on('data', () => undefined)
      socket.on('end', () => {
        isConfirmed = isEnding
      })
      socket.on('error', error => fail(reasonOf(error)))
      socket.on('close', () => {
        signal.removeEventListener('abort', abort)
        clearTimeout(settling)
        if (isConfirmed) resolve()
        else fail('it closed the connection: it may not know the certificate, or not let this sender in')
      })
      if (signal.aborted) abort()
    })
}

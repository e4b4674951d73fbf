import * as v from 'valibot'
import type { ClientTlsConfig } from './client-tls-config.ts'
import { text } from './fields.ts'

/** TLS towards a server: who it has to be, and who the gateway is. There is no key to look away. */

const HOST_NAME = /^(?![\d.]+$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i

export const CLIENT_TLS = v.strictObject({
  ca: v.exactOptional(
    v.pipe(text(), v.description('PEM file of the authorities that may have signed its certificate; no others count.')),
  ),
  cert: v.exactOptional(v.pipe(text(), v.description('PEM file of the client certificate and its chain.'))),
  key: v.exactOptional(v.pipe(text(), v.description('PEM file of its private key.'))),
  serverName: v.exactOptional(
    v.pipe(
      text(253),
      v.regex(HOST_NAME, 'should be a host name, not an address'),
      v.description('The name that its certificate has to have, in place of the host of the URL.'),
    ),
  ),
})

export type ClientTlsDocument = v.InferOutput<typeof CLIENT_TLS>

export function resolveClientTls(tls: ClientTlsDocument, resolvePath: (path: string) => string): ClientTlsConfig {
  const { serverName } = tls
  const files = (['ca', 'cert', 'key'] as const).flatMap(name => {
    const path = tls[name]
    return path === undefined ? [] : [[name, resolvePath(path)] as const]
  })
  return { ...Object.fromEntries(files), ...(serverName !== undefined && { serverName }) }
}

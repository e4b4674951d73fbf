import { createSecureServer, type Http2SecureServer, type SecureServerOptions } from 'node:http2'
import type { Env } from 'hono'
import { type RunningServer, type ServeOptions, serveOn } from '../node/server.ts'
import { closeLate } from './close-late.ts'

/**
 * Serves an app over TLS on Bun, for `nodeTransport`. Of Bun 1.4.5's servers only that of node:http2 shows client
 * certificates and takes new certificates while it runs: Bun.serve and node:https do neither. HTTP/2 itself is not spoken.
 * @throws StartError when a certificate file or the address cannot be used
 */
export function serveBunTls<E extends Env>(options: ServeOptions<E>): Promise<RunningServer> {
  return serveOn(options, (tls, listener) => {
    const http1: SecureServerOptions = { ...tls, allowHTTP1: true, ALPNCallback: onlyHttp1 }
    const server: Http2SecureServer = createSecureServer(http1, listener as never)
    closeLate(server as never, tls)
    return server as never
  })
}

/** This server ignores `ALPNProtocols`, and would take HTTP/2 from whoever offers it. */
function onlyHttp1({ protocols }: { readonly protocols: readonly string[] }): string | undefined {
  return protocols.find(protocol => protocol === 'http/1.1')
}

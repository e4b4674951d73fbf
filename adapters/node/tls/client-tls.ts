/**
 * What TLS connections to one server are made with. A new object each time that a file has changed: whoever keeps
 * connections compares it by reference, and takes those made with another no further.
 */
export interface ClientTls {
  /** PEM: the authorities that may have signed the server's certificate, in place of the platform's. */
  readonly ca?: string
  /** PEM: the client certificate with its chain, and its private key. */
  readonly cert?: string
  readonly key?: string
  /** The name to ask for and to check, in place of the host of the URL. */
  readonly serverName?: string
}

/** What counts now for an origin such as `https://gpu-1:8443`; undefined where it has no settings of its own. */
export type ClientTlsOf = (origin: string) => ClientTls | undefined

export const NO_CLIENT_TLS: ClientTlsOf = () => undefined

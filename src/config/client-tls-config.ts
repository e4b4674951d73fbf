/** TLS towards a server: PEM files as absolute paths, at least one of the four given. */
export interface ClientTlsConfig {
  /** The authorities that may have signed its certificate, in place of the platform's. */
  readonly ca?: string
  /** The client certificate, always with its key. */
  readonly cert?: string
  readonly key?: string
  /** The name that its certificate has to have, in place of the host of the URL. */
  readonly serverName?: string
}

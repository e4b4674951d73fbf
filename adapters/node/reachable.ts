/** The host to put into a URL for a listening address: a wildcard becomes loopback, IPv6 gets its brackets. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

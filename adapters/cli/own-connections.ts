import type { Telemetry } from '../../src/ports/telemetry.ts'

const UNCHECKED = 'NODE_TLS_REJECT_UNAUTHORIZED'
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']

/**
 * Takes out of the environment what would turn off the check of servers' certificates: runtimes look there with each
 * connection that does not say otherwise, those of libraries included. Nor do connections go through a proxy, as those of
 * `fetch` on Deno else would.
 */
export function keepConnectionsOwn(telemetry: Telemetry): void {
  for (const name of PROXIES) for (const variable of [name, name.toLowerCase()]) delete process.env[variable]
  const value = process.env[UNCHECKED]
  if (value === undefined || value === '1') return
  delete process.env[UNCHECKED]
  telemetry.log('warn', 'variable_ignored', { variable: UNCHECKED })
}

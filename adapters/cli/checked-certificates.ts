import type { Telemetry } from '../../src/ports/telemetry.ts'

const VARIABLE = 'NODE_TLS_REJECT_UNAUTHORIZED'

/**
 * Takes out of the environment what would turn off the check of servers' certificates: both runtimes look there with each
 * connection that does not say otherwise, those of libraries included.
 */
export function keepCertificatesChecked(telemetry: Telemetry): void {
  const value = process.env[VARIABLE]
  if (value === undefined || value === '1') return
  delete process.env[VARIABLE]
  telemetry.log('warn', 'variable_ignored', { variable: VARIABLE })
}

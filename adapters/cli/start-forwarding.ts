import { setTimeout as sleep } from 'node:timers/promises'
import { Forwarder } from '../../src/audit/forward/forwarder.ts'
import { LagWatch } from '../../src/audit/forward/lag-watch.ts'
import type { AuditConfig } from '../../src/config/config.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { systemClock } from '../node/clock.ts'
import { LogFiles } from '../node/forward/log-files.ts'
import { openDestination } from '../node/forward/open-destination.ts'
import { PositionFile } from '../node/forward/position-file.ts'
import type { ClientTlsOf } from '../node/tls/client-tls.ts'
import { currentRuntime } from './runtime.ts'

export interface ForwardingOptions {
  readonly tlsOf: ClientTlsOf
  readonly telemetry: Telemetry
  /** The last durable record, where this process writes the log; by default every record that can be read. */
  readonly durable?: () => number
}

/** The forwarding of one log. */
export interface Forwarding {
  /** By the name of the destination, whether it is up to date. */
  inTime(): Readonly<Record<string, boolean>>
  /** Sends what can be sent within seconds, and ends. Safe to repeat. */
  close(): Promise<void>
}

/** Starts to send the log to every destination of the configuration, each at its own pace. Never waits for one. */
export async function startForwarding(
  { file, forward }: Pick<AuditConfig, 'file' | 'forward'>,
  { tlsOf, telemetry, durable = () => Number.POSITIVE_INFINITY }: ForwardingOptions,
): Promise<Forwarding> {
  // Connections of its own: a model server's bounds and closing are not the business of these.
  const upstream = await (await currentRuntime()).createUpstream({ tlsOf })
  const running = forward.map(config => {
    const { name, batch, timeoutMs, maxPauseMs, warnAfterMs } = config
    const forwarder = new Forwarder({
      name,
      destination: openDestination(config, upstream, tlsOf),
      log: new LogFiles(file),
      place: new PositionFile(file, name),
      batch,
      timeoutMs,
      maxPauseMs,
      durable,
      clock: systemClock,
      telemetry,
      random: Math.random,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    })
    const position = () => forwarder.position
    const watch = new LagWatch({ name, log: new LogFiles(file), position, warnAfterMs, telemetry })
    forwarder.start()
    watch.start()
    return { name, forwarder, watch }
  })
  async function end(): Promise<void> {
    await Promise.all(running.flatMap(({ forwarder, watch }) => [forwarder.close(), watch.close()]))
    await upstream.close()
  }
  let ending: Promise<void> | undefined
  return {
    inTime: () => Object.fromEntries(running.map(({ name, watch }) => [name, watch.inTime])),
    close: () => (ending ??= end()),
  }
}

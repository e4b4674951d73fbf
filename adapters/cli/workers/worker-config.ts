import { basename, dirname, extname, join } from 'node:path'
import { type Config, embeddedFile } from '../../../src/config/config.ts'
import { CommandFailure } from '../failure.ts'

/** Which worker a process is. */
export interface WorkerPlace {
  /** From 1; no two that run at the same time have the same. */
  readonly slot: number
  /** How many there are to be. */
  readonly workers: number
}

/**
 * What one of several workers goes by: an instance like any other, with a log of its own and its part of what is divided by
 * the number of instances.
 */
export function workerConfig(config: Config, { slot, workers }: WorkerPlace): Config {
  const { audit, models, instances } = config
  const checkpoint = audit.checkpoint && {
    ...audit.checkpoint,
    ...(audit.checkpoint.origin !== undefined && { origin: `${audit.checkpoint.origin}/w${slot}` }),
  }
  return {
    ...config,
    instances: instances * workers,
    models: models.map(model => ({
      ...model,
      upstreams: model.upstreams.map(({ maxInFlight, ...upstream }) => ({
        ...upstream,
        ...(maxInFlight !== undefined && { maxInFlight: Math.max(1, Math.floor(maxInFlight / workers)) }),
      })),
    })),
    audit: { ...audit, file: workerLog(audit.file, slot), ...(checkpoint && { checkpoint }) },
  }
}

/** The log of one worker: `audit-w1.jsonl` beside `audit.jsonl`. */
export function workerLog(file: string, slot: number): string {
  const extension = extname(file)
  return join(dirname(file), `${basename(file, extension)}-w${slot}${extension}`)
}

/** @throws CommandFailure naming the key with which several workers would not do what it says */
export function assertShareable({ state, listen, admin }: Config, runtime: 'node' | 'bun'): void {
  if (embeddedFile(state) !== undefined) {
    throw new CommandFailure(
      'state: embedded counts in one process, and several would each admit as much: --workers needs Redis or Valkey (state: redis://…)',
    )
  }
  if (runtime === 'node') return
  for (const [path, port] of [
    ['listen.port', listen.port] as const,
    ['admin.listen.port', admin?.listen.port] as const,
  ]) {
    if (port === 0) throw new CommandFailure(`${path}: 0 would be another port in each worker on Bun: name one`)
  }
}

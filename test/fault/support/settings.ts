import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { type Gateway, waitFor } from '../../support/index.ts'

type Settings = Record<string, unknown>

/** Changes the gateway's configuration file, in one step. */
export function writeSettings({ dir }: Pick<Gateway, 'dir'>, change: (settings: Settings) => Settings): void {
  const file = join(dir, 'sallyport.yaml')
  const settings = change(parse(readFileSync(file, 'utf8')) as Settings)
  writeFileSync(`${file}.new`, stringify(settings))
  renameSync(`${file}.new`, file)
}

/** How often the gateway's log says so. */
export function times(gateway: Pick<Gateway, 'output'>, event: string): number {
  return gateway.output().split(`"event":"${event}"`).length - 1
}

/** Has the gateway read its file again, and waits until it says that it did, or did not. */
export async function reload(gateway: Gateway, outcome: 'config_reloaded' | 'config_not_reloaded' = 'config_reloaded') {
  const before = times(gateway, outcome)
  gateway.signal('SIGHUP')
  await waitFor(outcome, () => times(gateway, outcome) > before, 10_000)
}

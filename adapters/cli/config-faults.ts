import type { Fault } from '../../src/config/fault.ts'
import type { ConfigLocation } from '../node/config-file.ts'

/** What errors call the configuration. */
export function nameOf({ path }: ConfigLocation): string {
  return path ?? 'the defaults (there is no sallyport.yaml here; --config names another file)'
}

/** One fault a line, under the name of the file. */
export function faultList(file: string, faults: readonly Fault[]): string {
  const lines = faults.map(({ path, reason }) => `  ${path === '' ? '' : `${path}: `}${reason}`)
  return [`${file}: ${faults.length === 1 ? '1 fault' : `${faults.length} faults`}`, ...lines].join('\n')
}

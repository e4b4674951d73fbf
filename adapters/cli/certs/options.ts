import { type Command, InvalidArgumentError } from 'commander'
import { isClaimName } from '../../../src/auth/token-profile.ts'

/** What all commands about certificates take. */
export interface FolderOptions {
  readonly dir: string
  readonly json?: true
}

const MAX_DAYS = 7300

export function withFolder(command: Command): Command {
  return command.option('--dir <folder>', 'where certificates are kept', 'certs').option('--json', 'print JSON')
}

/** The common name of a subject. RFC 5280: at most 64 characters. */
export function commonName(value: string): string {
  if (value.length <= 64 && /^[^\p{C}]+$/u.test(value)) return value
  throw new InvalidArgumentError('Use up to 64 characters that can be read.')
}

export function fileName(value: string): string {
  if (isClaimName(value) && !value.startsWith('.')) return value
  throw new InvalidArgumentError('Use up to 64 letters, digits, dots, underscores and hyphens.')
}

export function wholeDays(value: string): number {
  const count = Number(value)
  if (/^\d{1,5}$/.test(value) && count >= 1 && count <= MAX_DAYS) return count
  throw new InvalidArgumentError(`Use whole days, 1 to ${MAX_DAYS}.`)
}

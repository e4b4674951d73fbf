import { domainToASCII } from 'node:url'
import { type Command, InvalidArgumentError } from 'commander'
import { isClaimName } from '../../../src/auth/token-profile.ts'
import { isAddress, isHost } from './alternative-names.ts'

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

/** RFC 5280: at most 20 bytes. As `certs list` and OpenSSL print it. */
export function serialNumber(value: string): string {
  const digits = value.replaceAll(':', '').toLowerCase()
  if (/^(?=.*[1-9a-f])[0-9a-f]{1,40}$/.test(digits)) return digits
  throw new InvalidArgumentError('Use up to 40 hexadecimal digits, as certs list prints them.')
}

/** Who callers connect to has to stand in the certificate: a name or an address that clients can compare. */
export function serverName(value: string): string {
  if (isHost(value) || isAddress(value)) return value
  const ascii = domainToASCII(value)
  const hint = isHost(ascii) ? ` Write ${ascii}.` : ''
  throw new InvalidArgumentError(`Use a host name or an address.${hint}`)
}

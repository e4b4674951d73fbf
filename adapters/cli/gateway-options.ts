import { type Command, InvalidArgumentError } from 'commander'
import { parseQuantity, QUANTITY_HINTS } from '../../src/config/units.ts'
import { readText } from '../node/read-text.ts'
import { CommandFailure, UsageError } from './failure.ts'

const MAX_TOKEN_FILE_BYTES = 64 * 1024

/** How a command reaches a running gateway, but for its URL. */
export interface GatewayOptions {
  readonly tokenFile?: string
  readonly timeout: number
  readonly ca?: string
  readonly cert?: string
  readonly certKey?: string
}

/** Adds `--token-file`, `--timeout`, `--ca`, `--cert` and `--cert-key` to a command; `flag` is the one of the gateway's URL. */
export function withGatewayOptions(command: Command, flag: string, timeoutMs: number): Command {
  return command
    .option('--token-file <file>', `holds the token for ${flag} (default: $SALLYPORT_TOKEN)`)
    .option('--timeout <duration>', 'for one request', durationOption, timeoutMs)
    .option('--ca <file>', `PEM of the authorities for ${flag}`)
    .option('--cert <file>', `PEM of the client certificate for ${flag}`)
    .option('--cert-key <file>', 'PEM of its private key')
}

/**
 * What a client is made of.
 * @throws UsageError or CommandFailure naming the flag that is missing or names no usable file
 */
export async function gatewayAccess({ tokenFile, timeout, ca, cert, certKey }: GatewayOptions, flag: string) {
  if ((cert === undefined) !== (certKey === undefined)) throw new UsageError('--cert and --cert-key go together')
  return {
    token: await readToken(tokenFile, flag),
    timeoutMs: timeout,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(certKey !== undefined && { certKey }),
  }
}

/** A token stands in a file or in the environment: arguments are in the list of processes. */
async function readToken(path: string | undefined, flag: string): Promise<string> {
  let text = process.env['SALLYPORT_TOKEN'] ?? ''
  if (path !== undefined) {
    const file = await readText(path, MAX_TOKEN_FILE_BYTES)
    if (!file.ok) throw new CommandFailure(`--token-file: ${path} cannot be read: ${file.reason}`)
    text = file.text
  }
  const token = text.trim()
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new UsageError(
    token === '' ? `${flag} needs a token: give --token-file or $SALLYPORT_TOKEN` : 'this is no token',
  )
}

/** Reads the argument of an option that is the URL of a gateway. */
export function gatewayUrl(value: string): URL {
  const url = URL.parse(value)
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '') return url
  throw new InvalidArgumentError('Use the http: or https: URL of a gateway, without credentials and query.')
}

/** Reads the argument of an option that is a time to wait, in ms: a millisecond to a day. */
export function durationOption(value: string): number {
  const ms = parseQuantity('duration', value)
  if (ms === undefined || ms < 1 || ms > 86_400_000) throw new InvalidArgumentError(`Use ${QUANTITY_HINTS.duration}.`)
  return ms
}

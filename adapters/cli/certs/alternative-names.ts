import { isIP } from 'node:net'
import { InvalidArgumentError } from 'commander'
import type { AlternativeName } from './make-certificate.ts'

const HOST =
  /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/
const MAX_CHARACTERS = 253
const HINT = 'Use dns:host (xn--… beyond ASCII), ip:address, uri:… or email:…, separated by commas.'
/** So that the machine itself can ask whether its server is well. */
const LOOPBACK: readonly AlternativeName[] = [
  { kind: 'dns', value: 'localhost' },
  { kind: 'ip', value: '127.0.0.1' },
  { kind: 'ip', value: '::1' },
]

/** Reads `dns:a.example,ip:10.0.0.7`. @throws InvalidArgumentError saying what is wrong */
export function parseAlternativeNames(text: string, before: readonly AlternativeName[] = []): AlternativeName[] {
  return [...before, ...text.split(',').map(parseOne)]
}

function parseOne(text: string): AlternativeName {
  const [, kind = '', value = ''] = /^(\w+):(.+)$/.exec(text.trim()) ?? []
  const isPlain = value.length <= MAX_CHARACTERS && /^[\x21-\x7e]+$/.test(value)
  if (kind === 'dns' && isHost(value)) return { kind, value }
  if (kind === 'ip' && isAddress(value)) return { kind, value }
  if (kind === 'uri' && isPlain && URL.canParse(value)) return { kind, value }
  if (kind === 'email' && isPlain && /^[^@]+@[^@]+$/.test(value)) return { kind, value }
  throw new InvalidArgumentError(HINT)
}

/** The names of a certificate: its own where that is one, and those that were asked for; a server's without any: loopback too. */
export function namesOf(name: string, use: 'server' | 'client', asked: readonly AlternativeName[]): AlternativeName[] {
  const own: AlternativeName[] = isAddress(name)
    ? [{ kind: 'ip', value: name }]
    : isHost(name)
      ? [{ kind: 'dns', value: name }]
      : []
  const all = [...own, ...asked, ...(use === 'server' && asked.length === 0 ? LOOPBACK : [])]
  return all.filter((one, at) => all.findIndex(({ kind, value }) => kind === one.kind && value === one.value) === at)
}

/** Whether a text is a host's name, or a pattern of them (`*.example`). */
export function isHost(text: string): boolean {
  return text.length <= MAX_CHARACTERS && HOST.test(text) && isIP(text) === 0
}

/** An address without a zone (`%eth0`): that means something on one machine only, and no certificate can hold it. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%')
}

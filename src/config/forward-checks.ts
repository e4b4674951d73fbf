import { at, type Fault } from './fault.ts'
import { type ForwardDocument, forwardNames } from './forward-schema.ts'
import { isLoopback } from './loopback.ts'

type Kind = ForwardDocument['kind']

/** Keys that not every kind knows. */
const ONLY: readonly (readonly [keyof ForwardDocument, readonly Kind[]])[] = [
  ['token', ['splunk-hec', 'elasticsearch', 'otlp', 'http']],
  ['headers', ['elasticsearch', 'otlp', 'http']],
  ['hmacSecret', ['http']],
  ['index', ['splunk-hec', 'elasticsearch']],
  ['source', ['splunk-hec']],
  ['sourcetype', ['splunk-hec']],
  ['ack', ['splunk-hec']],
  ['facility', ['syslog']],
  ['structuredDataId', ['syslog']],
  ['maxMessage', ['syslog']],
  ['tls', ['splunk-hec', 'elasticsearch', 'otlp', 'http', 'syslog']],
]

/** Fields that the protocol or the kind sets. */
const RESERVED = new Set(['host', 'connection', 'content-length', 'content-type', 'transfer-encoding', 'te', 'expect'])
/** What is derived of a guessable secret says nothing. */
const MIN_SECRET_CHARACTERS = 16

/** Keys of destinations that contradict each other. */
export function forwardFaults(destinations: readonly ForwardDocument[]): Fault[] {
  const names = forwardNames(destinations)
  return destinations.flatMap((destination, index) => {
    const path = at('audit.forward', index)
    const isTaken = names.indexOf(names[index] as string) < index
    return [
      ...(isTaken ? [{ path: at(path, 'name'), reason: 'this name is taken: it keeps the position apart' }] : []),
      ...urlFaults(destination, at(path, 'url')),
      ...kindFaults(destination, path),
    ]
  })
}

function urlFaults({ kind, url }: ForwardDocument, path: string): Fault[] {
  if (kind === 'stdout') return url === undefined ? [] : [{ path, reason: 'does not go with kind: stdout' }]
  const protocols = kind === 'syslog' ? ['tls:', 'tcp:'] : ['https:', 'http:']
  const hint = `should be a URL that begins with ${protocols.map(protocol => `${protocol}//`).join(' or ')}`
  if (url === undefined) return [{ path, reason: `is required with kind: ${kind}` }]
  const parsed = URL.parse(url)
  if (parsed === null || !protocols.includes(parsed.protocol) || parsed.hostname === '') return [{ path, reason: hint }]
  if (parsed.username !== '' || parsed.password !== '') {
    return [{ path, reason: 'should not hold a user name or password: use token or headers' }]
  }
  if (parsed.hash !== '') return [{ path, reason: 'should not have a fragment' }]
  if (parsed.search !== '' && kind !== 'http') return [{ path, reason: 'should not have a query' }]
  const isRoot = parsed.pathname === '' || parsed.pathname === '/'
  if (!isRoot && (kind === 'splunk-hec' || kind === 'syslog')) {
    return [{ path, reason: kind === 'syslog' ? 'should not have a path' : 'should not have a path: it is added' }]
  }
  return []
}

function kindFaults(destination: ForwardDocument, path: string): Fault[] {
  const { kind, url = '', token, headers = {}, hmacSecret } = destination
  const found: Fault[] = []
  for (const [key, kinds] of ONLY) {
    if (destination[key] !== undefined && !kinds.includes(kind)) {
      found.push({ path: at(path, key), reason: `only goes with kind: ${kinds.join(', ')}` })
    }
  }
  if (kind === 'splunk-hec' && token === undefined) found.push({ path: at(path, 'token'), reason: 'is required' })
  if (destination.tls !== undefined && !/^(?:https|tls):/.test(url) && kind !== 'stdout') {
    found.push({ path: at(path, 'tls'), reason: 'goes with a URL of https: or tls: only' })
  }
  for (const header of Object.keys(headers)) {
    const field = header.toLowerCase()
    if (RESERVED.has(field)) found.push({ path: at(at(path, 'headers'), header), reason: 'is not yours to set' })
    if (field === 'authorization' && token !== undefined) {
      found.push({ path: at(at(path, 'headers'), header), reason: 'does not go with token' })
    }
  }
  if (hmacSecret !== undefined && hmacSecret.length < MIN_SECRET_CHARACTERS) {
    found.push({ path: at(path, 'hmacSecret'), reason: `should have at least ${MIN_SECRET_CHARACTERS} characters` })
  }
  return found
}

/** Destinations that records, or what authenticates, reach unencrypted. */
export function forwardWarnings(destinations: readonly ForwardDocument[]): Fault[] {
  return destinations.flatMap(({ url }, index) => {
    const parsed = url === undefined ? null : URL.parse(url)
    if (parsed === null || !['http:', 'tcp:'].includes(parsed.protocol) || isLoopback(parsed.hostname)) return []
    const reason = `records and what authenticates cross the network unencrypted (${parsed.protocol})`
    return [{ path: at(at('audit.forward', index), 'url'), reason }]
  })
}

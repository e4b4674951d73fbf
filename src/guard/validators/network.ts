import { isSaid, phrases } from './context.ts'
import { isDigit } from './digits.ts'

/** What stands in front of four numbers with dots that are a version or a section, not an address. */
const VERSION = [
  /(?:^|[^a-z])(?:version(?:added|changed)?|ver|release|v|build|firmware|sections?|chapter|clause|step|oid|(?:object)?identifier)[ .:=("']{0,3}$/i,
  /section-$|[$\u00a7] ?$/i,
  /(?:updat|upgrad|bump|patch)(?:e|ed|es|ing)?(?: \S{1,16}){0,3} (?:to|from)(?: [A-Z]\w{1,8})? $/i,
  /(?:RFC|ECMA|ISO)[ -]?\d{1,5},? $/i,
]

/** A comment that is nothing but the number of a step in a specification: `// 7.6.3.1`. */
const COMMENT = /(?:\/\/|#|\*) $/

/** Below this in all its parts, a number with three dots is a section or a version unless the words in front speak of machines. */
const SMALL = 32
const MACHINE_WORDS = phrases(
  'ip, ips, ipv4, host, hosts, server, servers, addr, address, addresses, dns, client, clients, remote, peer, gateway, nameserver',
  'router, src, dst, source, destination, network, subnet, ping, ssh, curl, login, adresse, dirección, indirizzo',
)
const MACHINE_BEFORE = /(?:\/\/|@|\bfrom )$/i

/** Whether what follows is the middle of a longer row of groups, as in a fingerprint. */
function isBehindGroup(before: string): boolean {
  return before.endsWith(':') && /(?:^|[^0-9a-z])[0-9a-f]{1,4}:$/i.test(before.slice(-6))
}

function isBehindOctet(before: string): boolean {
  return before.endsWith('.') && isDigit(before.charCodeAt(before.length - 2))
}

/** Addresses of no host in particular: unspecified, whole networks, loopback, netmasks and the limited broadcast. */
const NO_HOST = /^(?:0\.\d+\.\d+\.\d+|(?!10\.)\d+\.0\.0\.0|127\.\d+\.\d+\.\d+|255\.\d+\.\d+\.\d+)$/

/** Whether an address may begin behind the text: not in the middle of a row of groups, nor of a longer dotted number. */
export function beginsAddress(match: string, before: string): boolean {
  if (isBehindGroup(before)) return false
  return match.includes(':') ? !before.endsWith('::') : !isBehindOctet(before)
}

/** Whether the match is the IPv4 address of a host: four octets without leading zeros, not part of a longer dotted number. */
export function isIpv4(match: string, before: string): boolean {
  if (isBehindOctet(before) || isBehindGroup(before) || VERSION.some(form => form.test(before)) || NO_HOST.test(match))
    return false
  if (match === '1.3.6.1' || (COMMENT.test(before.slice(-3)) && match.length <= 9)) return false
  const parts = match.split('.')
  if (!parts.every(part => Number(part) <= 255 && (part === '0' || part[0] !== '0'))) return false
  return parts[0] === '10' || parts.some(part => Number(part) >= SMALL) || isMachine(before)
}

function isMachine(before: string): boolean {
  return before === '' || MACHINE_BEFORE.test(before) || isSaid(before, MACHINE_WORDS)
}

/**
 * Whether the match is the IPv6 address of a host (RFC 4291, section 2.2): eight groups (not all of two
 * digits, which is a fingerprint), or fewer around one `::`. Short forms that are ordinary text as well (`::`, `::1`, `a::b`) count only in the ranges that are handed out.
 */
export function isIpv6(match: string, before: string): boolean {
  if (isBehindGroup(before) || before.endsWith('::') || /^(?:ffff:){2}/i.test(match)) return false
  const halves = match.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1)
  let size = groups.length
  const dotted = last?.includes('.') === true
  if (dotted) {
    if (!last.split('.').every(part => part !== '' && Number(part) <= 255)) return false
    groups.pop()
    size++
  }
  if (!groups.every(group => group.length >= 1 && group.length <= 4)) return false
  if (halves.length === 1) return size === 8 && groups.some(group => group.length > 2)
  return size <= 7 && (size >= 4 || dotted || /^(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):/i.test(match))
}

/**
 * Whether the match is a hardware address and not the middle of a longer row of octets (a fingerprint). A colon at its end
 * belongs to the text behind it.
 */
export function isMac(match: string, before: string): boolean {
  if (/(?:^|[^a-z0-9])[0-9a-f]{1,2}[:-]$/i.test(before.slice(-4))) return false
  // A row of groups with dots, of which this is the middle.
  if (match.includes('.') && /[.*]$/.test(before.slice(-1))) return false
  return !/^(?:00[:-]){5}00:?$|^(?:ff[:-]){5}ff:?$/i.test(match)
}

import { continuesNumber } from './digits.ts'

/** Words behind which four numbers with dots are a version, not an address. */
const VERSION = /(?:(?:version|ver|release|v|build|firmware|section|chapter|oid)[ .:=]{0,3}|section-|[$\u00a7])$/i

/** Addresses of no host in particular: unspecified, loopback, netmasks and the limited broadcast. */
const NO_HOST = /^(?:0\.0\.0\.0|127\.\d+\.\d+\.\d+|255\.\d+\.\d+\.\d+)$/

/** Whether an address may begin where the match does: a longer dotted number holds no IPv4 address. */
export function beginsAddress(match: string, before: string): boolean {
  return match.includes(':') || !continuesNumber(before) || !before.endsWith('.')
}

/** Whether the match is the IPv4 address of a host: four octets without leading zeros, not part of a longer dotted number. */
export function isIpv4(match: string, before: string): boolean {
  if (/\d\.$/.test(before) || VERSION.test(before.slice(-16)) || NO_HOST.test(match) || match === '1.3.6.1')
    return false
  return match.split('.').every(part => Number(part) <= 255 && (part === '0' || part[0] !== '0'))
}

/**
 * Whether the match is the IPv6 address of a host (RFC 4291, section 2.2): eight groups (not all of two
 * digits, which is a fingerprint), or fewer around one `::`. Short forms that are ordinary text as well (`::`, `::1`, `a::b`) count only in the ranges that are handed out.
 */
export function isIpv6(match: string): boolean {
  const halves = match.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1)
  let size = groups.length
  if (last?.includes('.')) {
    if (!last.split('.').every(part => part !== '' && Number(part) <= 255)) return false
    groups.pop()
    size++
  }
  if (!groups.every(group => group.length >= 1 && group.length <= 4)) return false
  if (halves.length === 1) return size === 8 && groups.some(group => group.length > 2)
  return size <= 7 && (size >= 4 || /^(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]|::ffff):/i.test(match))
}

/** Whether the match is a hardware address and not the middle of a longer row of octets (a fingerprint). */
export function isMac(match: string, before: string): boolean {
  if (/(?:^|[^a-z0-9])[0-9a-f]{1,2}[:-]$/i.test(before)) return false
  return !/^(?:00[:-]){5}00$|^(?:ff[:-]){5}ff$/i.test(match)
}

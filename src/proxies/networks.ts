import ipaddr from 'ipaddr.js'

/** An address and the number of leading bits that count. */
type Network = ReturnType<typeof ipaddr.parseCIDR>

/** Whether a text is an address (`10.0.0.7`, `fd00::1`) or a network (`10.1.0.0/16`). */
export function isNetwork(text: string): boolean {
  return parse(text) !== undefined
}

/**
 * A test of addresses for being in one of the networks. IPv4 in IPv6 clothing (`::ffff:10.0.0.7`) is IPv4; what is no address
 * is in none.
 */
export function createNetworkTest(networks: readonly string[]): (address: string) => boolean {
  const parsed = networks.map(parse).filter(network => network !== undefined)
  return function isInside(address) {
    // The library's own leniency (`10.1`, octal) is not for what strangers write.
    if (!isAddress(address)) return false
    const ip = ipaddr.process(address)
    return parsed.some(([network, bits]) => ip.kind() === network.kind() && ip.match([network, bits] as never))
  }
}

/** Whether a text is an address in its usual form. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (text.includes(':') && ipaddr.IPv6.isValid(text))
}

function parse(text: string): Network | undefined {
  const [address = '', bits] = text.split('/')
  if (!isAddress(address)) return undefined
  if (bits !== undefined) return ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined
  const ip = ipaddr.process(address)
  return [ip, ip.kind() === 'ipv4' ? 32 : 128] as Network
}

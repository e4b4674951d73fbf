import type { RuleDefinition } from '../rule.ts'
import { beginsAddress, isIpv4, isIpv6, isMac } from '../validators/network.ts'

/** Addresses of machines. */
export const NETWORK_RULES: readonly RuleDefinition[] = [
  {
    name: 'IP_ADDRESS',
    group: 'pii',
    description: 'IPv4 or IPv6 address of a host (RFC 791, RFC 4291); not loopback, netmasks or version numbers.',
    pattern: '\\d{1,3}(?:\\.\\d{1,3}){3}|(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{0,4}|\\d{1,3}(?:\\.\\d{1,3}){3})',
    notAfter: '[\\w:]',
    notBefore: '\\w',
    begins: beginsAddress,
    validate: (match, before) => (match.includes(':') ? isIpv6(match) : isIpv4(match, before)),
    examples: [
      'from «203.0.113.7».',
      '«10.0.0.1»:8080',
      'http://«192.0.2.44»/x',
      '[«2001:db8::1»]:443',
      '«2001:0DB8:0000:0000:5e6f:d938:b19c:9b54»',
      '«fe80::1ff:fe23:4567:890a»%eth0',
      '«::ffff:192.0.2.1»',
      '«２０３.0.113.7»',
    ],
    counterExamples: [
      'version 4.12.8.1',
      '127.0.0.1',
      '0.0.0.0',
      '256.1.1.1',
      '1.2.3',
      '1.02.3.4',
      'OID 1.3.6.1.4.1.311',
      'at 12:34:56',
      'std::vector',
      '::1',
      'a::b',
      '1:2:3:4:5:6:7',
      'aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99',
    ],
  },
  {
    name: 'MAC_ADDRESS',
    group: 'pii',
    description: 'Hardware address, six octets in hexadecimal (IEEE 802 EUI-48).',
    pattern: '[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}|[0-9a-f]{4}\\.[0-9a-f]{4}\\.[0-9a-f]{4}',
    notAfter: '\\w',
    notBefore: '\\w',
    validate: isMac,
    examples: ['«9b:88:68:76:76:11»', '«00-1A-2B-3C-4D-5E»', 'hw «001a.2b3c.4d5e».', '«9b:88:68:76:76:11»: printer'],
    counterExamples: [
      '00:00:00:00:00:00',
      'ff:ff:ff:ff:ff:ff',
      '9b:88:68:76:76',
      '9b:88-68:76-76:11',
      '9b:88:68:76:76:1g',
    ],
  },
]

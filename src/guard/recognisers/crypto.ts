import type { RuleDefinition } from '../rule.ts'
import { isWalletAddress } from '../validators/crypto.ts'
import { looksRandom } from '../validators/entropy.ts'

/** Wallets. */
export const CRYPTO_RULES: readonly RuleDefinition[] = [
  {
    name: 'BITCOIN_ADDRESS',
    group: 'pii',
    description: 'Bitcoin address with its checksum: Base58Check, Bech32 or Bech32m (BIP 173, BIP 350).',
    pattern: '[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,71}|BC1[02-9AC-HJ-NP-Z]{11,71}',
    caseSensitive: true,
    notAfter: '[A-Za-z0-9]',
    notBefore: '[A-Za-z0-9]',
    validate: isWalletAddress,
    examples: [
      'Send to «1BoatSLRHtKNngkdXEeobR76b53LETtpyT».',
      '«3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy»',
      'bitcoin:«bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq»',
      '«BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4»',
    ],
    counterExamples: [
      '1BoatSLRHtKNngkdXEeobR76b53LETtpyU',
      'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdx',
      '11111111111111111111111111',
      'x1BoatSLRHtKNngkdXEeobR76b53LETtpyT',
    ],
  },
  {
    name: 'ETHEREUM_ADDRESS',
    group: 'pii',
    description: 'Ethereum address: 0x and forty hexadecimal digits (the checksum in mixed case is not required).',
    pattern: '0x[0-9a-f]{40}',
    notAfter: '\\w',
    notBefore: '\\w',
    validate: match => looksRandom(match.slice(2)),
    examples: ['to «0x52908400098527886E0F7030069857D2E4169EE7»', '«0xde709f2102306220921060314715629080e2fb77»'],
    counterExamples: [
      '0x0000000000000000000000000000000000000000',
      '0x52908400098527886E0F7030069857D2E4169EE',
      '0x52908400098527886E0F7030069857D2E4169EE70',
    ],
  },
  {
    name: 'CRYPTO_ADDRESS',
    group: 'pii',
    description:
      'Address of Litecoin, Dogecoin, Dash, Tron (Base58Check), or of Litecoin, Cardano, Cosmos (Bech32), with its checksum.',
    pattern:
      '[LMDXT][1-9A-HJ-NP-Za-km-z]{32,33}|ltc1[02-9ac-hj-np-z]{11,71}|addr1[02-9ac-hj-np-z]{53,100}|cosmos1[02-9ac-hj-np-z]{38}',
    caseSensitive: true,
    notAfter: '[A-Za-z0-9]',
    notBefore: '[A-Za-z0-9]',
    validate: isWalletAddress,
    examples: [
      'TRX «TJRabPrwbZy45sbavfcjinPJC18kjpRTv8»',
      'DOGE: «DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L»',
      '«ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9»',
      '«addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywfgse35a3x»',
    ],
    counterExamples: [
      'TJRabPrwbZy45sbavfcjinPJC18kjpRTv9',
      'ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n8',
      'XMLHttpRequestConstructorFunction1',
    ],
  },
]

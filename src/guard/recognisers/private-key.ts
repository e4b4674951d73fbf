import type { RuleDefinition } from '../rule.ts'

const BEGIN = '-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----'
/** Line ends as they are, or as `\n` in JSON and source code, with quotes, `>` or `|` of the lines' carrier. */
const BREAK = '(?:[ \\t\\r\\n"\'>|,+]|\\\\[nr]){1,16}'

/**
 * PEM and PGP private keys (RFC 7468, RFC 9580). Some characters of a body have to follow the first line, so that a text about
 * such keys is not one; from there everything is taken up to the last line, or to what cannot belong to a key.
 */
export const PRIVATE_KEY_RULES: readonly RuleDefinition[] = [
  {
    name: 'PRIVATE_KEY',
    group: 'secrets',
    description: 'Private key in PEM or OpenPGP armour (RFC 7468, RFC 9580), with whatever follows its first line.',
    pattern: `${BEGIN}${BREAK}(?:[A-Za-z0-9+/=]{16}|Proc-Type: |DEK-Info: |Version: |Comment: )`,
    caseSensitive: true,
    tail: { body: '[A-Za-z0-9+/=:,.\\\\"\'>|() \\t\\r\\n-]', end: 'KEY-----' },
    examples: [
      '«-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nKs14IReLcYgA==\n-----END PRIVATE KEY-----» after',
      '"«-----BEGIN RSA PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0B\\n-----END RSA PRIVATE KEY-----»\\n"',
      '«-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEvQIBADANBgkqhkiG9w0B»',
      'key: |\n  «-----BEGIN OPENSSH PRIVATE KEY-----\n  b3BlbnNzaC1rZXktdjEAAAAA\n  -----END OPENSSH PRIVATE KEY-----»\n',
    ],
    counterExamples: [
      'The file starts with -----BEGIN PRIVATE KEY----- and holds Base64.',
      '-----BEGIN PRIVATE KEY-----\nanything\n-----END PRIVATE KEY-----',
      '-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PUBLIC KEY-----',
    ],
  },
]

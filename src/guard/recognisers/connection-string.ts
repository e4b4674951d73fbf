import type { RuleDefinition } from '../rule.ts'
import { areUrlCredentials } from '../validators/credentials.ts'

/** Names and passwords in front of a host. */
export const CONNECTION_STRING_RULES: readonly RuleDefinition[] = [
  {
    name: 'CONNECTION_STRING',
    group: 'secrets',
    description: 'User name and password in a URL, `user:password@` behind `scheme://` (RFC 3986, section 3.2.1).',
    pattern: '[^\\s/:@"\'`<>\\\\,;()]{0,64}:[^\\s/"\'`<>\\\\]{1,128}@',
    notAfter: '[^/]',
    validate: areUrlCredentials,
    examples: [
      'postgres://«app:s3cr3t@»db.example.com:5432/app',
      'redis://«:p4ssw0rd@»cache:6379',
      'mongodb+srv://«root:p@ss@»cluster0.example.net',
      'see https://«cafebabe:deadbeef@»gems.example.com/',
    ],
    counterExamples: [
      'http://localhost:8080/',
      'https://example.com/@user:x@y',
      'postgres://user:password@localhost/db',
      'https://${USER}:${PASSWORD}@example.com',
      'https://git@example.com/x',
      'a/b:c@d',
      'https://user:xxxx@example.com',
    ],
  },
]

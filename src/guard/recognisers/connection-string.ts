import type { RuleDefinition } from '../rule.ts'
import { areCommandCredentials, areUrlCredentials } from '../validators/credentials.ts'

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
  {
    name: 'COMMAND_CREDENTIALS',
    group: 'secrets',
    description: 'User name and password on a command line, behind `-u` or `--user` as curl takes them (curl manual).',
    pattern: `(?:-[A-Za-z]{0,3}u|--user|--proxy-user)[ =]{1,2}["']?[^\\s:"'\`<>|,;()]{0,64}["']?:["']?[^\\s"'\`<>|]{0,128}["']?`,
    notAfter: '[^\\s]',
    notBefore: '[^\\s"\'`<>|)]',
    validate: areCommandCredentials,
    examples: [
      'curl «-u elastic:P@ssw0rd$1» https://localhost:9200',
      "curl «--user 'johns:h0pk1ns~21s'» https://api.example.com",
      'curl -s «--user=api:d2LkV78zLx!t» https://api.example.com',
    ],
    counterExamples: [
      'curl -u user:password https://example.com',
      'curl -u "$USER:$PASSWORD" https://example.com',
      'docker run -u 1000:1000 image',
      'sort -u a:b',
      'key: value:12345',
    ],
  },
]

import type { RuleDefinition } from '../rule.ts'
import { followsSecretName, SECRET_ENDINGS } from '../validators/assigned-name.ts'
import { isAssignedSecret } from '../validators/credentials.ts'
import { mixesDigits } from '../validators/entropy.ts'

/** Anything that looks random and is called a password, a secret or a token. */
export const ASSIGNMENT_RULES: readonly RuleDefinition[] = [
  {
    name: 'SECRET',
    group: 'secrets',
    description: 'Value with high entropy behind a name such as `password`, `api_key` or `Authorization: Bearer`.',
    pattern: '[A-Za-z0-9_+/~.!@#$%^&*-][A-Za-z0-9_+/~.!@#$%^&*=-]{6,254}[A-Za-z0-9_+/~!@#$%^&*=-]',
    caseSensitive: true,
    notAfter: '[A-Za-z0-9_+/~.!@#$%^&*-]',
    notBefore: '[A-Za-z0-9_+/~-]',
    needs: '\\d',
    needsWords: true,
    begins: (match, before) => mixesDigits(match) && followsSecretName(before),
    validate: isAssignedSecret,
    words: SECRET_ENDINGS,
    examples: [
      'password = "«hunter2-Xk93qz»"',
      '"api_key": "«9f8a7c6b5d4e3f2a1b0c»"',
      'Authorization: Bearer «cfcabd11c7ed9a41b1a3e063c32d5114»',
      'export DB_PASSWORD=«tr0ub4dor&3x»',
      'clientSecret: «8kP2mQ9vL4xR7wZ1»',
      '- **secret**: `«8kP2mQ9vL4xR7wZ1»`',
      'the password is «Tr0ub4dor&3x».',
    ],
    counterExamples: [
      'password = "changeme"',
      'password: correcthorsebattery',
      'api_key = os.environ["API_KEY_V2"]',
      'token: 12345678',
      'max_tokens = 4096_0000',
      'secret: <YOUR_SECRET_123>',
      'password = "[SECRET_5e545e3c491a]"',
      'password=${DB_PASSWORD_1}',
      'the tokeniser reads 8kP2mQ9vL4xR7wZ1',
      'public_key = "9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit"',
    ],
  },
]

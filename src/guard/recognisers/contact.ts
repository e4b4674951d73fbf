import type { RuleDefinition } from '../rule.ts'
import { isEmail } from '../validators/email.ts'

/** Latin, Greek and Cyrillic letters beyond ASCII: scripts that part their words, so that only the word in progress waits. */
const LETTERS = 'À-ÖØ-öø-ɏͰ-ԯ'

/** How to reach somebody. */
export const CONTACT_RULES: readonly RuleDefinition[] = [
  {
    name: 'EMAIL',
    group: 'pii',
    description:
      'E-mail address: a local part of at most 64 characters, a domain with a top level of letters (RFC 5321).',
    pattern: `[A-Za-z0-9_${LETTERS}][A-Za-z0-9_.%+'${LETTERS}-]{0,63}@(?:[A-Za-z0-9${LETTERS}-]{1,63}\\.){1,6}[A-Za-z]{2,63}`,
    caseSensitive: true,
    notAfter: `[A-Za-z0-9_${LETTERS}]`,
    notBefore: '[A-Za-z]',
    validate: isEmail,
    examples: [
      'Write to «jane.doe+news@mail.example.co.uk».',
      '<«a@b.io»>',
      "mailto:«o'brien@example.ie»?subject=x",
      '["«x_y%z@example.org»"]',
      '«jürgen@exämple.de»',
      '«ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ»',
      '«ja\u200bne@exam\u00adple.com»',
      '...«jane@example.com»_',
      '-«jane@example.com»2',
    ],
    counterExamples: [
      'jane at example dot com',
      '@handle and name@localhost',
      'lodash@4.17.21',
      'jane.@example.com',
      'jane@-example.com',
      'jane@example..com',
      'logo@2x.png',
      'git@github.com:org/repo.git',
    ],
  },
]

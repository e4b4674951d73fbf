import type { RuleDefinition } from '../rule.ts'
import { isEmail, isSpelledEmail } from '../validators/email.ts'
import { beginsPhone, isPhone } from '../validators/phone.ts'
import { PHONE_WORDS } from '../validators/phone-words.ts'

/** Latin, Greek and Cyrillic letters beyond ASCII: scripts that part their words, so that only the word in progress waits. */
const LETTERS = 'À-ÖØ-öø-ɏͰ-ԯ'

/** Spelled signs of an address, bare or in brackets. */
const DOT = '(?: dot | ?[\\[({<] ?(?:dot|punkt|punto|point) ?[\\])}>] ?)'
const AT = '(?: at | ?[\\[({<] ?(?:at|arroba|chiocciola) ?[\\])}>] ?)'

/** How to reach somebody. */
export const CONTACT_RULES: readonly RuleDefinition[] = [
  {
    name: 'EMAIL',
    group: 'pii',
    description:
      'E-mail address: a local part of at most 64 characters, a domain with a top level of letters (RFC 5321).',
    pattern: `[A-Za-z0-9_${LETTERS}][A-Za-z0-9_.%+'${LETTERS}-]{0,63}@(?:[A-Za-z0-9${LETTERS}-]{1,63}\\.){1,6}(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{2,59})`,
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
      '«a@xn--d1acufc.xn--p1ai»',
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
  {
    name: 'PHONE',
    group: 'pii',
    description:
      'Telephone number: international forms by calling code and length (libphonenumber), national ones by shape or context.',
    pattern: '(?:\\+ ?\\(?|\\()?\\d(?:[ ()./-]{0,3}\\d){5,14}(?: ?(?:x|ext)\\.? ?\\d{1,6})?',
    notAfter: '[\\w+]',
    notBefore: '\\w',
    begins: beginsPhone,
    validate: isPhone,
    words: PHONE_WORDS,
    examples: [
      'Call «+49 30 63840191» now',
      '«+1 (201) 555-0123»',
      '«(201) 555-0123»',
      '«201-555-0123»',
      '«201.555.0123 ext 12»',
      '«0049 30 63840191»',
      '«0049 (0)30 63840191»',
      'Phone: «2015550123»',
      'tel «030 63840191»',
      'Please ring «785 8949»',
      'mobile=«07911 123456»',
      'tel:«+12015550123»',
      '«020 7946 0018»',
      '«09171234567»',
      '«532-123-45-67»',
      '| phone | «912 345 306» |',
      '电话：«912 345 306»',
      '«+4\u200b9 30 6384\u20110191»',
    ],
    counterExamples: [
      '2024-05-06',
      '06.05.2024 12:30',
      'order 2015550123 shipped',
      'timestamp 1530641639',
      'range 100-200-300 rpm',
      'ISBN 978-3-1614-8410-0',
      'pi is 3.14159265358979',
      '+999 12345678',
      'call 192.168.100.200',
      'lat 48.858844, lon 2.294351',
      '1,234,567,890',
      '0049 0020 0068 0061',
      'call a taxi to 03 2657 Lane',
      'x = 3 + 31536000000',
      'Order #022-0856772-5063758',
      'Boston, MA 02110-1301',
      'max cell rate: 353207.547',
      '0226 0304 0405',
    ],
  },
  {
    name: 'PHONE_RUN_ON',
    group: 'pii',
    description:
      'Telephone number with a letter right behind it, as where a space was lost: only forms that nothing else is written in.',
    pattern: '(?:\\+ ?\\(?|\\()\\d(?:[ ()./-]{0,3}\\d){6,14}|\\d{3}(?:-\\d{3}-|\\.\\d{3}\\.| \\d{3} )\\d{4}',
    notAfter: '[\\w+]',
    notBefore: '\\d',
    begins: beginsPhone,
    validate: isPhone,
    words: PHONE_WORDS,
    examples: [
      'Call «+49 30 63840191»now',
      '«+1 201 555 0123»and',
      '«(201) 555-0123»x',
      'or «201-555-0123»_',
      '«+33 1 23 45 67 89»e',
    ],
    counterExamples: [
      '+999 12345678abc',
      '2015550123abc',
      '+1 2015550123456789',
      '1234-567-8901a',
      '0304 0506 0708 090a',
    ],
  },
  {
    name: 'EMAIL_SPELLED',
    group: 'pii',
    optional: true,
    description:
      'E-mail address spelled out to hide it from machines: `jane at example dot com`, `jane(at)example.com`.',
    pattern: `[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}(?:${DOT}[A-Za-z0-9_-]{1,32}){0,2}${AT}[A-Za-z0-9-]{1,63}(?:(?:\\.|${DOT})[A-Za-z0-9-]{1,63}){1,4}`,
    notAfter: '[A-Za-z0-9]',
    notBefore: '[A-Za-z0-9]',
    validate: isSpelledEmail,
    examples: [
      'write to «jane at example dot com»',
      '«jane.doe [at] mail [dot] example [dot] org»',
      '«jane(at)example.com»',
      'mail «jane dot doe at example dot co dot uk», please',
    ],
    counterExamples: ['look at example.com', 'meet me at noon', 'a dot at the end', 'jane at example dot 42'],
  },
]

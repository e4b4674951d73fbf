import * as v from 'valibot'
import { INJECTION_THRESHOLD } from '../guard/injection.ts'
import { LOCALES } from '../guard/recognisers/index.ts'
import { CALLERS } from './callers-schema.ts'
import { count, list, name, oneOf, text, yesOrNo } from './fields.ts'
import { MAX_NAME_CHARACTERS, MAX_TOKENS } from './limits.ts'
import { NO_MAPPING } from './unknown-keys.ts'
import { VALIDATOR } from './validator-schema.ts'

/** The `guard` part of the document: what is looked for, and what is done about it. */

const described = v.description

const outputActions = ['off', 'flag', 'redact', 'mask', 'hash', 'block'] as const
const action = v.picklist(outputActions, ({ input }) =>
  input === 'pseudonymise'
    ? 'pseudonymise is for input only: what a model brings has nobody to be given back to'
    : `should be one of: ${outputActions.join(', ')}`,
)
const inputAction = oneOf(['off', 'flag', 'redact', 'mask', 'hash', 'pseudonymise', 'block'])
const injectionAction = oneOf(['off', 'flag', 'block'])

const locales = v.exactOptional(
  v.pipe(
    list(oneOf(LOCALES)),
    described('The packs of national forms that are on; absent: all. Rules without a locale are not concerned.'),
  ),
)
const BY_NAME = 'Actions by the name of a rule, which go before those of its group.'
const maxCharacters = v.exactOptional(
  v.pipe(count(1, MAX_TOKENS), described('Most characters (UTF-16 units) of one answer; it is cut there.')),
)
const onBlock = v.pipe(
  oneOf(['content_filter', 'error']),
  described('How a stream ends in which something is blocked: as one that a filter ended, or with an error.'),
)
const injectionThreshold = v.pipe(
  v.number('should be a number over 0 and up to 1, such as 0.7'),
  v.gtValue(0, 'should be over 0, which every text reaches'),
  v.maxValue(1, 'should be at most 1'),
  described('The score from which a text counts as one; `sallyport guard calibrate` finds yours.'),
)
const guardInput = {
  injection: v.optional(v.pipe(injectionAction, described('Text that tries to override instructions.')), 'block'),
  injectionThreshold: v.optional(injectionThreshold, INJECTION_THRESHOLD),
  pii: v.optional(v.pipe(inputAction, described('Personal data.')), 'flag'),
  secrets: v.optional(v.pipe(inputAction, described('Keys, passwords, tokens.')), 'block'),
  rules: v.optional(v.pipe(v.record(v.string(), inputAction, NO_MAPPING), described(BY_NAME)), {}),
  locales,
}
const guardOutput = {
  pii: v.optional(v.pipe(action, described('Personal data.')), 'redact'),
  secrets: v.optional(v.pipe(action, described('Keys, passwords, tokens.')), 'redact'),
  rules: v.optional(v.pipe(v.record(v.string(), action, NO_MAPPING), described(BY_NAME)), {}),
  locales,
  maxCharacters,
  onBlock: v.optional(onBlock, 'content_filter'),
}
const stages = v.pipe(list(oneOf(['input', 'output'])), v.minLength(1, 'should name input, output or both'))
const unitClass = text(256)

const guardRule = v.strictObject({
  name: v.pipe(
    text(MAX_NAME_CHARACTERS),
    v.regex(/^[A-Z][A-Z0-9_]*$/, 'should be upper-case letters, digits and underscores, such as EMPLOYEE_ID'),
    described('Unique; the replacement is `[NAME_REDACTED]`.'),
  ),
  pattern: v.exactOptional(
    v.pipe(text(1024), described('Bounded regular expression: no `*`, `+`, `{n,}`, anchors or look-around.')),
  ),
  terms: v.exactOptional(
    v.pipe(
      v.array(v.string('should be text (put it in quotes if it looks like a number)'), 'should be a list'),
      described('A dictionary: literal texts, in place of a pattern.'),
    ),
  ),
  file: v.exactOptional(v.pipe(text(), described('A dictionary: a file of literal texts, one a line.'))),
  on: v.optional(stages, ['input', 'output']),
  action: v.optional(v.pipe(inputAction, described('`pseudonymise` goes with `on: [input]`.')), 'redact'),
  caseSensitive: v.optional(
    v.pipe(yesOrNo, described('Whether letters match in the case they are written in.')),
    false,
  ),
  wholeWord: v.exactOptional(
    v.pipe(yesOrNo, described('No match begins or ends inside a word. On for dictionaries, off for patterns.')),
  ),
  notAfter: v.exactOptional(v.pipe(unitClass, described('A class such as `[\\w-]`: no match starts right after it.'))),
  notBefore: v.exactOptional(v.pipe(unitClass, described('A class such as `\\d`: no match ends right before it.'))),
  context: v.exactOptional(
    v.pipe(
      list(
        v.pipe(
          text(MAX_NAME_CHARACTERS),
          v.regex(/^[\p{L}\p{N}]+( [\p{L}\p{N}]+)*\*?$/u, 'should be words, such as "badge number" or "employe*"'),
        ),
      ),
      v.minLength(1, 'should name at least one word'),
      described('Words of which one has to stand in the 64 characters in front of a match.'),
    ),
  ),
  replacement: v.exactOptional(
    v.pipe(
      text(MAX_NAME_CHARACTERS),
      v.regex(/^[^\p{C}]+$/u, 'should have no line ends or invisible characters'),
      described('What `redact` puts in place of a match, instead of `[NAME_REDACTED]`.'),
    ),
  ),
})

const guardException = v.strictObject({
  match: v.pipe(CALLERS, described('All of these have to hold; at least one is needed.')),
  input: v.exactOptional(
    v.strictObject({
      injection: v.exactOptional(injectionAction),
      injectionThreshold: v.exactOptional(injectionThreshold),
      pii: v.exactOptional(inputAction),
      secrets: v.exactOptional(inputAction),
      rules: v.exactOptional(v.record(v.string(), inputAction, NO_MAPPING)),
      locales,
    }),
  ),
  output: v.exactOptional(
    v.strictObject({
      pii: v.exactOptional(action),
      secrets: v.exactOptional(action),
      rules: v.exactOptional(v.record(v.string(), action, NO_MAPPING)),
      locales,
      maxCharacters,
      onBlock: v.exactOptional(onBlock),
    }),
  ),
  validators: v.exactOptional(
    v.pipe(list(name), described('The names of the validators that look at these texts; `[]`: none.')),
  ),
})

export const GUARD = v.strictObject({
  input: v.optional(v.strictObject(guardInput), {}),
  output: v.optional(v.strictObject(guardOutput), {}),
  rules: v.optional(v.pipe(list(guardRule), described('Rules of the company’s own.')), []),
  exceptions: v.optional(
    v.pipe(list(guardException), described('Other actions for some callers; the first that matches counts.')),
    [],
  ),
  validators: v.exactOptional(
    v.pipe(list(VALIDATOR), described('Classifiers outside the gateway that texts have to pass.')),
  ),
})

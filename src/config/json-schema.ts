import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import { DOCUMENT } from './schema.ts'

/** Text that is replaced when the file is loaded may stand in place of any text with a form. */
const OR_PLACEHOLDER = '|\\$\\{(env|file):'

/** The configuration file as JSON Schema (draft 2020-12), for editors and reviews. */
export function configJsonSchema(): JsonSchema {
  const schema = toJsonSchema(DOCUMENT, {
    typeMode: 'input',
    target: 'draft-2020-12',
    // Checks that JSON Schema cannot express; the loader makes them.
    ignoreActions: ['raw_check'],
    overrideAction: ({ valibotAction, jsonSchema }) =>
      valibotAction.type === 'regex' && jsonSchema.pattern !== undefined
        ? { ...jsonSchema, pattern: `${jsonSchema.pattern}${OR_PLACEHOLDER}` }
        : undefined,
  })
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Sallyport configuration', ...schema }
}

import { type Command, Option } from 'commander'
import type { RuleInForce } from '../../../src/config/rules-in-force.ts'
import { mostLike } from '../../../src/config/unknown-keys.ts'
import { LOCALES } from '../../../src/guard/recognisers/index.ts'
import { type CallerOptions, withCallerOptions } from '../caller-options.ts'
import { UsageError } from '../failure.ts'
import { guardRulesOf } from '../guard-rules-of.ts'
import { note, printJson, printTable } from '../print.ts'

interface RulesOptions extends CallerOptions {
  readonly json?: true
  readonly config?: string
  readonly group?: string
  readonly locale?: string
  readonly action?: readonly string[]
}

/** `sallyport guard rules`: what is looked for, and what is done about it. */
export function registerGuardRules(guard: Command): void {
  const command = guard
    .command('rules')
    .description('the recognisers and rules, what is done about their findings on input and output, with examples')
    .argument('[names...]', 'only the rules of these names')
    .addOption(new Option('--group <group>', 'only those of a group').choices(['pii', 'secrets', 'custom']))
    .addOption(new Option('--locale <locale>', 'only those of a locale').choices(LOCALES))
    .option('--action <actions...>', 'only those with one of these actions on input or output, such as off')
    .option('--json', 'print the rules as JSON, with their patterns and all examples')
    .option('--config <file>', 'the configuration file; without one, every rule redacts')
  withCallerOptions(command).action(rules)
}

async function rules(names: readonly string[], options: RulesOptions): Promise<void> {
  const { input, output } = await guardRulesOf(options)
  const all = rowsOf(input, output)
  checkNames(names, all)
  const rows = all.filter(
    row =>
      (names.length === 0 || names.some(name => name.toUpperCase() === row.name)) &&
      (options.group === undefined || row.group === options.group) &&
      (options.locale === undefined || row.locale === options.locale) &&
      (options.action?.some(action => row.input === action || row.output === action) ?? true),
  )
  if (options.json) return printJson(rows)
  printTable([
    ['NAME', 'GROUP', 'LOCALE', 'INPUT', 'OUTPUT', 'EXAMPLE'],
    ...rows.map(row => [
      row.name,
      row.group,
      row.locale ?? '-',
      row.input,
      row.output,
      oneLine(row.examples[0] ?? '-'),
    ]),
  ])
  note(`${rows.length} of ${all.length} rules`)
}

/** A row for each name: a dictionary may be several definitions. */
function rowsOf(input: readonly RuleInForce[], output: readonly RuleInForce[]) {
  const onOutput = new Map(output.map(ruled => [ruled.rule.name, ruled]))
  return [...Map.groupBy(input, ({ rule }) => rule.name)].map(([name, parts]) => {
    const onInput = parts[0] as RuleInForce
    const { rule } = onInput
    return {
      name,
      group: rule.group,
      locale: rule.locale ?? null,
      input: onInput.action,
      inputSetBy: onInput.setBy,
      output: onOutput.get(name)?.action ?? 'off',
      outputSetBy: onOutput.get(name)?.setBy,
      description: rule.description,
      ...(rule.pattern === undefined
        ? { terms: parts.reduce((sum, part) => sum + (part.rule.terms?.length ?? 0), 0) }
        : { pattern: rule.pattern }),
      examples: rule.examples.map(example => example.replaceAll(/[«»]/g, '')),
      counterExamples: rule.counterExamples,
    }
  })
}

function checkNames(names: readonly string[], rows: readonly { readonly name: string }[]): void {
  const known = rows.map(({ name }) => name)
  for (const name of names) {
    if (known.includes(name.toUpperCase())) continue
    const similar = mostLike(name, known)
    throw new UsageError(`there is no rule ${name}${similar === undefined ? '' : `; did you mean ${similar}?`}`)
  }
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 57)}...` : line
}

import type { Command } from 'commander'
import { stringify } from 'yaml'
import { mayUseModel, type Principal } from '../../../src/auth/principal.ts'
import { isTokenRefusal } from '../../../src/auth/verify-token.ts'
import type { Config } from '../../../src/config/config.ts'
import { type EffectivePolicy, effectivePolicies } from '../../../src/config/effective-policy.ts'
import { MAX_TOKEN_CHARACTERS } from '../../../src/config/limits.ts'
import { maskSecrets } from '../../../src/config/mask.ts'
import type { Caller, Setting } from '../../../src/config/rules-in-force.ts'
import { locateConfig, readConfig } from '../../node/config-file.ts'
import { type CallerOptions, callerOf, needModel, withCallerOptions } from '../caller-options.ts'
import { checkToken } from '../check-token.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { print, printJson } from '../print.ts'
import { readStdin } from '../stdin.ts'

interface PrintOptions extends CallerOptions {
  readonly config?: string
  readonly json?: true
  readonly token?: string
}

/** `sallyport config print`: the configuration in force, or what of it applies to one caller. */
export function registerConfigPrint(config: Command): void {
  const command = config
    .command('print')
    .description(
      'print the configuration in force, secrets masked; with a caller: what applies to it, and what says so',
    )
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print JSON in place of YAML')
    .option('--token <token>', 'for the caller of this token; - reads it from standard input')
  withCallerOptions(command).action(show)
}

async function show(options: PrintOptions): Promise<void> {
  const location = await locateConfig(options.config, process.env, process.cwd())
  const result = await readConfig(location, process.env)
  if (!result.ok) throw new CommandFailure(faultList(nameOf(location), result.faults))
  const caller = callerOf(options)
  if (options.token !== undefined || Object.keys(caller).length > 0) {
    return showPolicies(result.config, caller, options)
  }
  const config = withoutTerms(maskSecrets(result.config))
  if (options.json) printJson(config)
  else print(stringify(config, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd())
}

/** Of a dictionary that has a file, the file and the number of its terms. */
function withoutTerms(config: Config) {
  const rules = config.guard.rules.map(rule =>
    rule.file === undefined ? rule : { ...rule, terms: rule.terms?.length },
  )
  return { ...config, guard: { ...config.guard, rules } }
}

async function showPolicies(config: Config, given: Caller, { token, json }: PrintOptions): Promise<void> {
  const { model, ...identity } = given
  if (token !== undefined && Object.keys(identity).length > 0) {
    throw new UsageError('--token says team, app and env: give it, or give those')
  }
  if (model !== undefined) needModel(model, config.models)
  const principal = token === undefined ? undefined : await principalOf(token, config)
  const allowed = (id: string) => principal === undefined || mayUseModel(principal, id)
  const models = model === undefined ? config.models.map(({ id }) => id) : [model]
  const usable = models.filter(allowed)
  if (usable.length === 0) throw new CommandFailure('the token may use none of these models: its requests are refused')
  const caller = principal ? { team: principal.team, app: principal.app, env: principal.env } : identity
  const policies = effectivePolicies(config, caller, usable)
  if (json) return printJson({ caller, policies })
  print(`caller: ${inline(caller)}`)
  for (const policy of policies) print(`\n${sectionOf(policy)}`)
}

/**
 * Who sends requests with the token, as the gateway would say.
 * @throws CommandFailure where the gateway would refuse it; the token itself is never shown
 */
async function principalOf(argument: string, { tokens }: Config): Promise<Principal> {
  const token = (argument === '-' ? await readStdin(MAX_TOKEN_CHARACTERS + 1) : argument).trim()
  const verdict = await checkToken(token, tokens)
  if (!isTokenRefusal(verdict)) return verdict
  throw new CommandFailure(`no policy applies: the token is refused: ${verdict.reason}`)
}

/** One setting a line, with the path of what says so. */
function sectionOf({ models, exception, input, output, quotas }: EffectivePolicy): string {
  const lines: [string, string][] = [
    [`models: ${inline(models)}`, ''],
    [`exception: ${exception ?? 'none'}`, ''],
    ...sideLines('input', input),
    ...sideLines('output', output),
    [quotas.length === 0 ? 'quotas: none' : 'quotas:', ''],
    ...quotas.map((quota): [string, string] => [`  - ${inline(quota)}`, '']),
  ]
  const width = Math.max(...lines.map(([text, setBy]) => (setBy === '' ? 0 : text.length)))
  return lines.map(([text, setBy]) => (setBy === '' ? text : `${text.padEnd(width)}  # ${setBy}`)).join('\n')
}

type SettingValue = string | number | null | readonly string[]

function sideLines(name: string, side: EffectivePolicy['input'] | EffectivePolicy['output']): [string, string][] {
  const { rules, ...settings } = side
  const line =
    (indent: string) =>
    ([key, { value, setBy }]: [string, Setting<SettingValue>]): [string, string] => [
      `${indent}${key}: ${typeof value === 'object' ? inline(value ?? 'none') : value}`,
      setBy,
    ]
  const named = Object.entries(rules)
  return [
    [`${name}:`, ''],
    ...Object.entries<Setting<SettingValue>>(settings).map(line('  ')),
    ...(named.length === 0 ? [] : [['  rules:', ''] as [string, string]]),
    ...named.map(line('    ')),
  ]
}

function inline(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()
}

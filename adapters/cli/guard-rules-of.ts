import { type Direction, RuleBook, type RuleInForce } from '../../src/config/rules-in-force.ts'
import { createDigest } from '../../src/guard/digest.ts'
import { INJECTION_THRESHOLD } from '../../src/guard/injection.ts'
import { BUILT_IN_RULES, OPTIONAL_RULES } from '../../src/guard/recognisers/index.ts'
import type { Digest } from '../../src/guard/replacement.ts'
import { locateConfig, readConfig } from '../node/config-file.ts'
import { nodeHashing } from '../node/hashing.ts'
import { type CallerOptions, callerOf, exceptionOf } from './caller-options.ts'
import { faultList, nameOf } from './config-faults.ts'
import { CommandFailure, UsageError } from './failure.ts'

export interface GuardRules extends Record<Direction, readonly RuleInForce[]> {
  /** Null without a configuration. */
  readonly digest: Digest | null
  /** The score from which a text counts as an injection. */
  readonly injectionThreshold: number
}

/**
 * What the configuration makes of every rule, for the caller of the options; without a configuration, every built-in rule
 * redacts that need not be switched on.
 * @throws CommandFailure with the faults of the configuration
 */
export async function guardRulesOf(options: CallerOptions & { readonly config?: string }): Promise<GuardRules> {
  const location = await locateConfig(options.config, process.env, process.cwd())
  if (location.path === undefined) {
    const [given] = Object.keys(callerOf(options))
    if (given !== undefined) throw new UsageError(`--${given} needs a configuration: give --config`)
    const all = [
      ...BUILT_IN_RULES.map(rule => ({ rule, action: 'redact' as const, setBy: 'there is no configuration' })),
      ...OPTIONAL_RULES.map(rule => ({ rule, action: 'off' as const, setBy: 'it has to be named' })),
    ]
    return { input: all, output: all, digest: null, injectionThreshold: INJECTION_THRESHOLD }
  }
  const result = await readConfig(location, process.env)
  if (!result.ok) throw new CommandFailure(faultList(nameOf(location), result.faults))
  const exception = exceptionOf(result.config, options)
  const { guard, audit } = result.config
  const book = new RuleBook(guard)
  return {
    input: book.side('input', exception).rules,
    output: book.side('output', exception).rules,
    injectionThreshold:
      (exception === undefined ? undefined : guard.exceptions[exception]?.input?.injectionThreshold) ??
      guard.input.injectionThreshold,
    digest: createDigest(nodeHashing, new TextEncoder().encode(audit.hmacSecret)),
  }
}

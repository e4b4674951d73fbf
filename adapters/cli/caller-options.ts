import type { Command } from 'commander'
import type { Config } from '../../src/config/config.ts'
import { type Caller, exceptionFor } from '../../src/config/rules-in-force.ts'
import { mostLike } from '../../src/config/unknown-keys.ts'
import { UsageError } from './failure.ts'

/** Whose policy a command is about. What is not given matches no exception that names it. */
export interface CallerOptions {
  readonly team?: string
  readonly app?: string
  readonly env?: string
  readonly model?: string
}

/** Adds `--team`, `--app`, `--env` and `--model` to a command. */
export function withCallerOptions(command: Command): Command {
  return command
    .option('--team <name>', 'for a caller of this team, with the exceptions made for it')
    .option('--app <name>', 'for a caller of this application')
    .option('--env <name>', 'for a caller of this environment')
    .option('--model <id>', 'for requests of this model')
}

export function callerOf({ team, app, env, model }: CallerOptions): Caller {
  return {
    ...(team !== undefined && { team }),
    ...(app !== undefined && { app }),
    ...(env !== undefined && { env }),
    ...(model !== undefined && { model }),
  }
}

/**
 * The index of the exception that counts for the caller of the options.
 * @throws UsageError for a model that is not configured: nothing can be asked of it
 */
export function exceptionOf({ guard, models }: Config, options: CallerOptions): number | undefined {
  if (options.model !== undefined) needModel(options.model, models)
  return exceptionFor(guard, callerOf(options))
}

export function needModel(id: string, models: Config['models']): void {
  const ids = models.map(model => model.id)
  if (ids.includes(id)) return
  const similar = mostLike(id, ids)
  const hint = similar === undefined ? `there are ${ids.join(', ')}` : `did you mean ${similar}?`
  throw new UsageError(`--model: there is no model ${id} in the configuration; ${hint}`)
}

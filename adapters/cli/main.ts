import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { registerAudit } from './commands/audit.ts'
import { registerConfig } from './commands/config.ts'
import { registerDev } from './commands/dev.ts'
import { registerGuard } from './commands/guard.ts'
import { registerKeys } from './commands/keys.ts'
import { registerServe } from './commands/serve.ts'
import { registerToken } from './commands/token.ts'
import { CommandFailure, UsageError } from './failure.ts'
import { note, styled } from './print.ts'

const EXIT_FAILURE = 1
const EXIT_USAGE = 2

/** The whole command line, without running it. */
function createProgram(): Command {
  const program = new Command('sallyport')
    .description(manifest.description)
    .version(manifest.version)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
  // Subcommands take over what is set above.
  registerDev(program)
  registerServe(program)
  registerAudit(program)
  registerConfig(program)
  registerGuard(program)
  registerKeys(program)
  registerToken(program)
  return program
}

/** Runs the command line; resolves to the exit code. */
async function run(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv)
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
    const message = error instanceof Error ? error.message : 'unknown error'
    const known = error instanceof CommandFailure || error instanceof UsageError
    note(`${styled('red', 'error:', process.stderr)} ${known ? message : `unexpected: ${message}`}`)
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE
  }
}

// `sallyport … | head` closes our output early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
const code = await run(process.argv)
// A command may have set a code of its own.
if (code !== 0) process.exitCode = code

import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { CommandFailure, UsageError } from './failure.ts'
import { note, styled } from './print.ts'

const EXIT_FAILURE = 1
const EXIT_USAGE = 2

type Register = (program: Command) => void

/** The commands, each with what it needs, in the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  dev: async () => (await import('./commands/dev.ts')).registerDev,
  serve: async () => (await import('./commands/serve.ts')).registerServe,
  audit: async () => (await import('./commands/audit.ts')).registerAudit,
  certs: async () => (await import('./commands/certs.ts')).registerCerts,
  checklist: async () => (await import('./commands/checklist.ts')).registerChecklist,
  config: async () => (await import('./commands/config.ts')).registerConfig,
  guard: async () => (await import('./commands/guard.ts')).registerGuard,
  keys: async () => (await import('./commands/keys.ts')).registerKeys,
  redteam: async () => (await import('./commands/redteam.ts')).registerRedteam,
  token: async () => (await import('./commands/token.ts')).registerToken,
  usage: async () => (await import('./commands/usage.ts')).registerUsage,
  weights: async () => (await import('./commands/weights.ts')).registerWeights,
}

/** The command line, without running it: a command that is named loads nothing of the others. */
async function createProgram(name: string | undefined): Promise<Command> {
  const program = new Command('sallyport')
    .description(manifest.description)
    .version(manifest.version)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
  const named = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  // Subcommands take over what is set above.
  for (const load of named ? [named] : Object.values(COMMANDS)) (await load())(program)
  return program
}

/** Runs the command line; resolves to the exit code. */
async function run(argv: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(argv[2])
    await program.parseAsync(argv)
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

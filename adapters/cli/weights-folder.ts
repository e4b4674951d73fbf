import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import type { WeightProblem } from '../../src/weights/compare.ts'
import { errorCode, reasonOf } from '../node/error-code.ts'
import { type Inspection, type InspectOptions, inspectWeights } from '../node/weights/inspect.ts'
import { CommandFailure } from './failure.ts'
import { AUDIT_KEY } from './key-files.ts'

export interface WeightsOptions {
  readonly key: string
  readonly manifest?: string
  readonly workers?: number
  readonly json?: true
}

/** What sealing and verifying have in common. */
export function withWeightsOptions(command: Command, keyIs: string): Command {
  return command
    .argument('<dir>', 'the folder of the model')
    .option('--key <file>', keyIs, `keys/${AUDIT_KEY}`)
    .option('--manifest <file>', 'where the manifest is (default: DIR/sallyport-weights.json)')
    .option('--workers <n>', 'files read at the same time (default: one for each processor)', workers)
    .option('--json', 'print the result as JSON')
}

/** @throws CommandFailure where the folder cannot be read */
export async function inspectFolder(dir: string, options: InspectOptions): Promise<Inspection> {
  try {
    return await inspectWeights(resolve(dir), options)
  } catch (error) {
    const code = errorCode(error)
    const reason = code === 'ENOENT' ? 'there is no such folder' : code === 'ENOTDIR' ? 'is no folder' : reasonOf(error)
    throw new CommandFailure(`${dir}: ${reason}`)
  }
}

/** One problem a line. */
export function problemList(problems: readonly WeightProblem[]): string {
  return problems.map(({ path, kind, detail }) => `  ${kind}: ${path} ${detail}`).join('\n')
}

function workers(value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 1 && number <= 32) return number
  throw new InvalidArgumentError('Use a whole number from 1 to 32.')
}

import { reasonOf } from '../node/error-code.ts'

/** A command that could not do its work: the message goes to stderr as it is and the process exits with 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
}

/** Arguments that make no sense together or on their own: exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * Opens something that the configuration names.
 * @throws CommandFailure with `what` in front of the reason
 */
export async function opened<T>(what: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    throw new CommandFailure(`${what}: ${reasonOf(error)}`)
  }
}

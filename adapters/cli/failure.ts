/** A command that could not do its work: the message goes to stderr as it is and the process exits with 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
}

/** Arguments that make no sense together or on their own: exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * Settles as `operation` does, or rejects with `message` after `ms`. The operation itself goes on: who needs to know
 * when it really ended has to keep it.
 */
export async function withDeadline<T>(operation: Promise<T>, ms: number, message: string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(message)), ms)
  try {
    return await Promise.race([operation, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

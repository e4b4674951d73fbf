import { setTimeout as sleep } from 'node:timers/promises'

export { sleep }

/** Waits until `probe` gives something true, and returns it; throws with the label when the deadline passes. */
export async function waitFor<T>(
  label: string,
  probe: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs
  while (performance.now() < deadline) {
    const result = await probe()
    if (result) return result
    await sleep(20)
  }
  throw new Error(`${label}: not within ${deadlineMs} ms`)
}

/** The promise's result, or an error with the label when it takes longer. */
export async function within<T>(label: string, ms: number, promise: PromiseLike<T>): Promise<T> {
  const timer = new AbortController()
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${label}: not within ${ms} ms`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    late.catch(() => undefined)
    timer.abort()
  }
}

/** One thing that every implementation of a port must do, in a form that any runtime can run. */
export interface Check {
  readonly name: string
  run(): Promise<void>
}

/** Waits until `condition` holds. @throws Error naming what was awaited */
export async function until(what: string, condition: () => boolean, timeoutMs = 3000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`)
    await sleep(2)
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Waits until a number has not changed for `quietMs`, and returns it. @throws Error naming what was awaited */
export async function standstill(what: string, value: () => number, quietMs = 300): Promise<number> {
  let last = value()
  let since = performance.now()
  await until(
    `${what} to stand still`,
    () => {
      if (value() !== last) {
        last = value()
        since = performance.now()
      }
      return performance.now() - since >= quietMs
    },
    10_000,
  )
  return last
}

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

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Resolves with the first signal that asks to stop. A second one ends the process at once. */
export function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    let asked = false
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (asked) process.exit(1)
        asked = true
        resolve(signal)
      })
    }
  })
}

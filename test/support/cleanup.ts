// Nothing that a test starts outlives it: undone after the test file, or when the process ends, whichever comes first.
const undos = new Set<() => void>()

/** Registers a synchronous undo; call what is returned once it is no longer needed. Last in, first out. */
export function onCleanup(undo: () => void): () => void {
  undos.add(undo)
  return () => undos.delete(undo)
}

function cleanUp(): void {
  for (const undo of [...undos].toReversed()) undo()
  undos.clear()
}

process.once('exit', cleanUp)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

// Benchmarks use these helpers too, without Vitest around them.
if (process.env.VITEST) {
  const { afterAll } = await import('vitest')
  afterAll(cleanUp)
}

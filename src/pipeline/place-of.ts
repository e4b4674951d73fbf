/** Where a bug showed. Its message may hold anything, lines of a prompt too, so only lines of the stack are taken. */
export function placeOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const frames = stack.split('\n').filter(line => /^\s+at [^"']*:\d+:\d+\)?$/.test(line))
  return frames
    .slice(0, 3)
    .map(line => line.trim())
    .join(' ')
}

/** Long work in turns of the event loop, so that nobody waits for it but who asked for it. */

/** Work that can be left for a while wherever it yields. */
export type Steps<T> = Generator<undefined, T, undefined>

/** Units that are looked at in one step: the slowest text costs less than a microsecond a unit. */
export const SLICE = 4096
/** A turn of the event loop that has taken so long is over, in ms. */
const TURN_MS = 5

export function slicesOf(text: string): string[] {
  return Array.from({ length: Math.ceil(text.length / SLICE) }, (_, at) => text.slice(at * SLICE, (at + 1) * SLICE))
}

/** Does the work at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

export interface Turns {
  /** ms of a clock that only goes forward. */
  readonly now: () => number
  /** Nobody waits for the work any more: it is given up. */
  readonly isOver: () => boolean
}

/** Does the work in turns of 5 ms; null where it was given up. */
export async function inTurns<T>(steps: Steps<T>, { now, isOver }: Turns): Promise<T | null> {
  let began = now()
  while (!isOver()) {
    const step = steps.next()
    if (step.done) return step.value
    if (now() - began < TURN_MS) continue
    await new Promise(resolve => setTimeout(resolve))
    began = now()
  }
  return null
}

import type { Turns } from '../guard/turns.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

/** Turns for the work on one request: given up when its caller has gone. */
export function turnsOf(exchange: Exchange, { clock }: Pick<Services, 'clock'>): Turns {
  return { now: () => clock.monotonic(), isOver: () => exchange.gone }
}

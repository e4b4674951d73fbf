import fc from 'fast-check'
import { expect, test } from 'vitest'
import { choose, type Peer } from '../../src/pool/choose.ts'

const peer = fc.record({
  load: fc.nat({ max: 60 }),
  capacity: fc.option(fc.integer({ min: 1, max: 64 }), { nil: undefined }),
  weight: fc.constantFrom(1, 1, 1, 0.05, 3),
  isFull: fc.boolean(),
})
const peers = fc.array(peer, { minLength: 1, maxLength: 12 }).map(list =>
  list.map(
    ({ isFull, ...rest }, index): Peer => ({
      ...rest,
      index,
      hasRoom: !isFull && (rest.capacity === undefined || rest.load < rest.capacity),
    }),
  ),
)
const preferred = fc.option(fc.nat({ max: 13 }), { nil: undefined })

/** What a server may have to do at the most and still be preferred: written down from the definition, in whole numbers. */
function bound(peer: Peer, all: readonly Peer[]): number {
  const capacities = all.map(({ capacity }) => capacity ?? 64)
  const parts = 5 * (1 + all.reduce((sum, { load }) => sum + load, 0)) * (peer.capacity ?? 64)
  const whole = 4 * capacities.reduce((a, b) => a + b)
  const share = Math.floor(parts / whole) + (parts % whole > 0 ? 1 : 0)
  return Math.max(share, 2, Math.floor((peer.capacity ?? 0) / 8))
}

test('a choice keeps to the bound, or is the least loaded of its weight', () => {
  fc.assert(
    fc.property(peers, preferred, preferred, fc.double({ min: 0, max: 0.999999 }), (all, conversation, prefix, at) => {
      const choice = choose(all, { conversation, prefix }, () => at)
      const free = all.filter(({ hasRoom }) => hasRoom)
      expect(choice === null).toBe(free.length === 0)
      if (!choice) return
      const { peer, reason } = choice
      expect(peer.hasRoom).toBe(true)
      const known = free.find(({ index }) => index === conversation)
      if (known && known.load + 1 <= bound(known, all)) {
        expect(choice).toEqual({ peer: known, reason: 'conversation' })
        return
      }
      expect(reason).not.toBe('conversation')
      const equals = free.filter(({ weight }) => weight === peer.weight)
      const cached = equals.find(({ index }) => index === prefix)
      if (cached && cached.load + 1 <= bound(cached, all)) {
        expect(choice).toEqual({ peer: cached, reason: 'prefix' })
        return
      }
      expect(reason).toBe('load')
      const part = ({ load, capacity }: Peer) => load / (capacity ?? 64)
      expect(part(peer)).toBe(Math.min(...equals.map(part)))
    }),
    { numRuns: 3000 },
  )
})

test('conversations that all want one server leave it with no more than the bound, and all are placed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 200 }), (servers, requests) => {
      const loads = Array.from({ length: servers }, () => 0)
      for (let sent = 0; sent < requests; sent++) {
        const all = loads.map((load, index): Peer => ({ index, load, capacity: undefined, hasRoom: true, weight: 1 }))
        const chosen = choose(all, { conversation: 0, prefix: 0 }, () => 0)?.peer.index ?? -1
        loads[chosen] = (loads[chosen] ?? Number.NaN) + 1
      }
      expect(loads.reduce((a, b) => a + b)).toBe(requests)
      expect(Math.max(...loads)).toBeLessThanOrEqual(Math.max(2, Math.ceil((1.25 * requests) / servers)))
    }),
  )
})

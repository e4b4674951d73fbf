/** A server that could be chosen. */
export interface Peer {
  /** Its number among the servers of the model. */
  readonly index: number
  /** Requests that it works on, as far as is known. */
  readonly load: number
  /** Requests that it can work on at the same time; undefined: not known. */
  readonly capacity: number | undefined
  /** Whether it may be sent one more. */
  readonly hasRoom: boolean
  /** Its share of new requests, beside those of the others. Above 0. */
  readonly weight: number
}

/** Servers that are preferred, by number. */
export interface Preference {
  /** The one that has the conversation so far in its cache. */
  readonly conversation?: number | undefined
  /** The one that has much of the prompt in its cache. */
  readonly prefix?: number | undefined
}

export interface Choice<P extends Peer> {
  readonly peer: P
  readonly reason: 'conversation' | 'prefix' | 'load'
}

/** What a server without a declared capacity is taken to have room for, when loads are compared. */
const UNKNOWN_CAPACITY = 64
/** A preferred server may have this much more to do than its share. */
const BOUND = 1.25
/** And always this many requests, or this part of its capacity: fewer are no load. */
const LEAST_BOUND = 2
const LEAST_PART = 1 / 8

/**
 * Which of a model's servers gets the next request.
 *
 * 1. The server of the conversation, unless it is overloaded.
 * 2. Else weights decide which servers come into question: one is drawn by its weight, and stands for all of the same
 *    weight. So a canary gets its share of new conversations at any load.
 * 3. Of those, the one that has most of the prompt in its cache, unless it is overloaded; else the least loaded.
 *
 * Overloaded is who would have more than 1.25 times its share of all requests under way: the bound of "Consistent Hashing
 * with Bounded Loads" (Mirrokni, Thorup, Zadimoghaddam, SODA 2018). Going by the cache until loads differ too much is what
 * SGLang's router does.
 *
 * Pure; O(peers). Null where none has room.
 * @param random from 0 up to 1
 */
export function choose<P extends Peer>(
  peers: readonly P[],
  { conversation, prefix }: Preference,
  random: () => number,
): Choice<P> | null {
  const free = peers.filter(({ hasRoom }) => hasRoom)
  const preferred = (among: readonly P[], index: number | undefined) =>
    index === undefined ? undefined : among.find(peer => peer.index === index && !isOverloaded(peer, peers))

  const known = preferred(free, conversation)
  if (known) return { peer: known, reason: 'conversation' }
  const drawn = draw(free, random)
  if (!drawn) return null
  const equals = free.filter(({ weight }) => weight === drawn.weight)
  const cached = preferred(equals, prefix)
  if (cached) return { peer: cached, reason: 'prefix' }
  return { peer: leastLoaded(equals, random) ?? drawn, reason: 'load' }
}

/** Whether a server would have too much to do with one more request, beside its peers. */
export function isOverloaded(peer: Peer, peers: readonly Peer[]): boolean {
  let load = 1
  let capacity = 0
  for (const each of peers) {
    load += each.load
    capacity += capacityOf(each)
  }
  const share = Math.ceil((BOUND * load * capacityOf(peer)) / capacity)
  const least = Math.max(LEAST_BOUND, Math.floor((peer.capacity ?? 0) * LEAST_PART))
  return peer.load + 1 > Math.max(share, least)
}

/** One by weight. */
function draw<P extends Peer>(peers: readonly P[], random: () => number): P | undefined {
  const [first] = peers
  if (!first || peers.every(({ weight }) => weight === first.weight)) return first
  let left = random() * peers.reduce((sum, { weight }) => sum + weight, 0)
  return peers.find(({ weight }) => (left -= weight) < 0) ?? peers.at(-1)
}

/** The one with the least part of its capacity in use; of several, any. */
function leastLoaded<P extends Peer>(peers: readonly P[], random: () => number): P | undefined {
  let best: P | undefined
  let least = Number.POSITIVE_INFINITY
  let ties = 0
  for (const peer of peers) {
    const load = peer.load / capacityOf(peer)
    if (load > least) continue
    ties = load < least ? 1 : ties + 1
    if (ties === 1 || random() * ties < 1) best = peer
    least = load
  }
  return best
}

function capacityOf({ capacity }: Peer): number {
  return capacity ?? UNKNOWN_CAPACITY
}

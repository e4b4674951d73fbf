import { Cluster, type Redis } from 'ioredis'

/**
 * What commands wait for before they are sent. The very first connection; and on a cluster the first one to each node, since
 * ioredis connects to a node only with its first command, and refuses the others that come meanwhile. A node is waited for
 * once, and for `mostMs`: whoever waits has its own deadline, and one node that is away must not hold up the others for long.
 */
export class Entrance {
  #closed: Promise<unknown> | undefined

  constructor(redis: Redis | Cluster, mostMs: number) {
    const settled = Promise.withResolvers<void>()
    for (const event of ['ready', 'close']) redis.once(event, () => settled.resolve())
    this.#hold(settled.promise)
    if (redis instanceof Cluster) this.#meetNodes(redis, mostMs)
  }

  /** Runs it at once, or when nothing is waited for any more. */
  enter(run: () => void): void {
    if (this.#closed) void this.#closed.then(() => this.enter(run))
    else run()
  }

  #meetNodes(cluster: Cluster, mostMs: number): void {
    /** Nodes that were waited for, and were not there since. */
    const awaited = new Set<string>()
    cluster.on('+node', (node: Redis) => {
      const { host, port, readOnly } = node.options
      if (readOnly) return
      const name = `${host}:${port}`
      // Fails where the connection does, of which the node itself tells.
      node.connect().catch(() => undefined)
      node.once('ready', () => awaited.delete(name))
      if (awaited.has(name)) return
      awaited.add(name)
      this.#hold(settledWithin(node, mostMs))
    })
  }

  #hold(until: Promise<unknown>): void {
    const closed = Promise.all([this.#closed, until])
    this.#closed = closed
    void closed.then(() => {
      if (this.#closed === closed) this.#closed = undefined
    })
  }
}

/** Resolves when the node is connected, has failed to, or is waited for no longer. */
function settledWithin(node: Redis, mostMs: number): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, mostMs)
    timer.unref()
    for (const event of ['ready', 'close', 'end']) {
      node.once(event, () => {
        clearTimeout(timer)
        resolve()
      })
    }
  })
}

import { Cluster, type Redis } from 'ioredis'
import type { Deadlines, Waiting } from './deadlines.ts'

/**
 * Gathers the commands of one turn of the event loop, so that they leave in one write for each connection: a write for
 * each costs as much as all else that is done for a command. Unlike ioredis's own pipelining, what comes next waits for
 * no answer. The time of a command starts when it leaves.
 */
export class Turn {
  readonly #redis: Redis | Cluster
  readonly #deadlines: Deadlines
  #isOpen = false
  #members: Waiting[] = []
  #gatherers: (() => void)[] = []

  constructor(redis: Redis | Cluster, deadlines: Deadlines) {
    this.#redis = redis
    this.#deadlines = deadlines
  }

  /** To be called just before a command is sent. */
  add(waiting: Waiting): void {
    this.#members.push(waiting)
    this.#begin()
  }

  /** Calls back before the commands leave, so that more may join them. */
  atEnd(callback: () => void): void {
    this.#gatherers.push(callback)
    this.#begin()
  }

  #begin(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    const nodes = this.#redis instanceof Cluster ? this.#redis.nodes('master') : [this.#redis]
    const streams = nodes.filter(({ status }) => status === 'ready').map(({ stream }) => stream)
    for (const stream of streams) stream.cork()
    setImmediate(() => {
      for (const gather of this.#gatherers) gather()
      for (const stream of streams) stream.uncork()
      this.#deadlines.start(this.#members)
      this.#members = []
      this.#gatherers = []
      this.#isOpen = false
    })
  }
}

/** Something that is waited for. Whoever decides it says so in `decided`. */
export interface Waiting {
  readonly decided: boolean
  /** Called once, when its time is over and it is not decided. */
  giveUp(): void
}

interface Group {
  readonly dueAt: number
  readonly members: readonly Waiting[]
}

/**
 * Deadlines for answers of a server, all of the same length, with one timer for all of them: a timer for each costs
 * more than many an answer.
 *
 * An answer that has arrived counts, even where this process was too busy to read it until its time was over.
 */
export class Deadlines {
  readonly #timeoutMs: number
  /** In the order of their deadlines, since all wait equally long. */
  readonly #groups: Group[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** The time of these starts now. */
  start(members: readonly Waiting[]): void {
    this.#groups.push({ dueAt: performance.now() + this.#timeoutMs, members })
    if (this.#timer === undefined) this.#set(this.#timeoutMs)
  }

  /** What is waited for has a connection, which keeps the process alive; a timer alone must not hold up its end. */
  #set(ms: number): void {
    this.#timer = setTimeout(this.#look, ms)
    this.#timer.unref()
  }

  readonly #look = (): void => {
    this.#timer = undefined
    const now = performance.now()
    let passed = 0
    for (const { dueAt, members } of this.#groups) {
      const undecided = members.filter(({ decided }) => !decided)
      if (undecided.length > 0 && dueAt > now) {
        // A timer may fire a fraction of a millisecond early.
        this.#set(Math.ceil(dueAt - now))
        break
      }
      passed++
      if (undecided.length > 0) giveUpUnread(undecided)
    }
    // At once: there may be thousands, and each taken from the front moves the others.
    this.#groups.splice(0, passed)
  }
}

/**
 * Gives up what is still undecided when sockets have been read once more. Node reads between a timer and the first
 * `setImmediate`, Bun between the first and the second.
 */
function giveUpUnread(members: readonly Waiting[]): void {
  setImmediate(() =>
    setImmediate(() => {
      for (const member of members) if (!member.decided) member.giveUp()
    }),
  )
}

/** How the open-ended rest of a rule's matches is followed. */
export interface TailMachine {
  /** By class: 1 where the rest goes on. */
  readonly body: Uint8Array
  /** The mark that ends the rest; undefined where it ends with the last character of the body. */
  readonly end: string | undefined
  /** By a number of characters of the mark that have been read: how many of them could be its beginning once more. */
  readonly borders: readonly number[]
}

/** The machine for a body and an end mark (Knuth, Morris and Pratt). */
export function tailMachine(body: Uint8Array, end: string | undefined): TailMachine {
  const borders = [0, 0]
  for (let at = 1; at < (end?.length ?? 0); at++) {
    let size = borders[at] as number
    while (size > 0 && end?.[size] !== end?.[at]) size = borders[size] as number
    borders.push(end?.[size] === end?.[at] ? size + 1 : 0)
  }
  return { body, end, borders }
}

/** An open-ended match in progress. */
export class Tail {
  /** The end mark has been read, or a character that is not of the body. */
  over = false
  /** Where the match starts in the whole text. */
  readonly start: number
  private readonly machine: TailMachine
  /** Characters of the end mark that have been read. */
  private read = 0

  constructor(machine: TailMachine, start: number) {
    this.machine = machine
    this.start = start
  }

  /** Whether the match goes on with the folded unit at a place, or ends with it. */
  takes(text: string, at: number, classes: Uint8Array): boolean {
    const { body, end, borders } = this.machine
    if (!body[classes[at] as number]) {
      this.over = true
      return false
    }
    if (end === undefined) return true
    while (this.read > 0 && end[this.read] !== text[at]) this.read = borders[this.read] as number
    if (end[this.read] === text[at]) this.read++
    this.over = this.read === end.length
    return true
  }
}

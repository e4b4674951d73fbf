import { type Edit, splice } from './edits.ts'

/** An event in which some string is not decided yet: it can only go out when the strings that follow at its place have told. */
export class OpenEvent {
  private bytes: Uint8Array
  private readonly edits: Edit[]
  /** Strings that are not decided. */
  waits = 0

  /** `edits`: what changes in the event; those of strings that wait are added later. */
  constructor(bytes: Uint8Array, edits: Edit[]) {
    this.bytes = bytes
    this.edits = edits
  }

  get length(): number {
    return this.bytes.length
  }

  /** Copies its bytes, which are a part of what came in: that may be large, and used again. */
  keep(): void {
    this.bytes = new Uint8Array(this.bytes)
  }

  /** A string is decided. */
  decide(edit: Edit | null): void {
    if (edit) this.edits.push(edit)
    this.waits--
  }

  /** The event as it may go out, once nothing waits. */
  close(): Uint8Array {
    return splice(this.bytes, this.edits)
  }
}

/** What goes out, in order. */
export type Outgoing = Uint8Array | OpenEvent

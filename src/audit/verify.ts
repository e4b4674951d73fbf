import type { Hashing } from '../ports/hashing.ts'
import { CanonicalLine } from './canonical-line.ts'
import { readRecord } from './chain.ts'
import { InterruptedRequests, type OpenRequests } from './interrupted.ts'
import { GENESIS, MAX_LINE_BYTES } from './record.ts'
import { type Deletions, type Unproved, VerifiedDeletions } from './verified-deletions.ts'

/** The first record that breaks the chain. */
export interface BadRecord {
  /** The file given to `startFile`, or undefined. */
  readonly file: string | undefined
  /** Counted from 1 in its file. */
  readonly line: number
  /** What the record says of itself; undefined when it cannot be read. */
  readonly seq: number | undefined
  readonly reason: string
}

/** What was proved so far. */
export interface Verified extends OpenRequests {
  readonly records: number
  /** The first `seq`: more than 1 when older files are not at hand. */
  readonly firstSeq: number | undefined
  readonly lastSeq: number | undefined
  readonly firstTime: string | undefined
  readonly lastTime: string | undefined
  /** The hash of the last record: what the next one's `prev` will be. */
  readonly head: string | undefined
  /** Records that are not there any more, and who says so. */
  readonly deleted: Deletions
}

/** What else is known of a chain: asked about each record, in order. Returns what is wrong with it. */
export type Witness = (seq: number, hash: string) => string | undefined

/** Proves a chain line by line, over any number of files, in constant memory. */
export interface Verifier {
  /** The lines that follow are of this file; they are counted from 1 again. */
  startFile(file: string): void
  /** Takes the next line, without its line end. Returns the first bad record, then and ever after. */
  line(line: string | Uint8Array, from?: number, to?: number): BadRecord | undefined
  /** Ends a file. `tail` is what stands after its last line end: a torn line, unless it is empty. */
  endFile(tail: string | Uint8Array): BadRecord | undefined
  /** Statements of deletions since this was asked last: what they say counts once their signatures are checked. */
  takeUnproved(): readonly Unproved[]
  verified(): Verified
}

const HASH_MEMBER = ',"hash":"'.length
const HEX_64 = /^[0-9a-f]{64}$/
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Starts at the beginning of a chain, or of the part of it that is at hand. */
export function createVerifier(hashing: Hashing, witness?: Witness): Verifier {
  return new ChainVerifier(hashing, witness)
}

class ChainVerifier implements Verifier {
  readonly #hashing: Hashing
  readonly #witness: Witness | undefined
  readonly #line = new CanonicalLine()
  readonly #requests = new InterruptedRequests()
  readonly #deletions: VerifiedDeletions
  /** A line without its hash. */
  #scratch = new Uint8Array(4096)
  #file: string | undefined
  #lines = 0
  #bad: BadRecord | undefined
  #records = 0
  #firstSeq: number | undefined
  #lastSeq: number | undefined
  #firstTime: string | undefined
  readonly #lastTime = new Uint8Array('2026-11-23T10:30:00.007Z'.length)
  #head: string | undefined

  constructor(hashing: Hashing, witness: Witness | undefined) {
    this.#hashing = hashing
    this.#witness = witness
    this.#deletions = new VerifiedDeletions(hashing)
  }

  startFile(name: string): void {
    this.#file = name
    this.#lines = 0
  }

  line(given: string | Uint8Array, from = 0, to = given.length): BadRecord | undefined {
    if (this.#bad !== undefined) return this.#bad
    this.#lines += 1
    const bytes = typeof given === 'string' ? encoder.encode(given) : given
    const end = typeof given === 'string' ? bytes.length : to
    if (end - from > MAX_LINE_BYTES) return this.#fail(`line is longer than ${MAX_LINE_BYTES} bytes`)
    const line = this.#line
    const isCanonical = line.read(bytes, from, end)
    if (isCanonical && line.has('statement')) return this.#statement(bytes.subarray(from, end))
    if (isCanonical && line.has('deletedFrom')) return this.#tombstone(bytes.subarray(from, end))
    const hash = isCanonical ? this.#digest(bytes, from, end) : ''
    const seq = line.count('seq')
    if (!isCanonical || seq === 0 || !line.is('hash', hash) || !this.#isComplete()) {
      return this.#explain(bytes.subarray(from, end))
    }
    const broken = this.#brokenLink(seq)
    if (broken !== undefined) return this.#fail(broken, seq)
    const denied = this.#witness?.(seq, hash)
    if (denied !== undefined) return this.#fail(denied, seq)
    this.#records += 1
    this.#moveTo(seq, seq, hash)
    this.#firstTime ??= line.text('time')
    for (let at = 0; at < this.#lastTime.length; at++) this.#lastTime[at] = bytes[line.from.time + at] as number
    this.#requests.add(line, seq)
    return undefined
  }

  endFile(tail: string | Uint8Array): BadRecord | undefined {
    if (this.#bad !== undefined) return this.#bad
    if (tail.length > 0) {
      this.#lines += 1
      return this.#fail('torn last line')
    }
    const wrong = this.#deletions.endFile()
    if (wrong !== undefined) this.#bad = { file: this.#file, seq: undefined, ...wrong }
    return this.#bad
  }

  takeUnproved(): readonly Unproved[] {
    return this.#deletions.takeUnproved()
  }

  verified(): Verified {
    return {
      records: this.#records,
      firstSeq: this.#firstSeq,
      lastSeq: this.#lastSeq,
      firstTime: this.#firstTime,
      lastTime: this.#records === 0 ? undefined : String.fromCharCode(...this.#lastTime),
      head: this.#head,
      deleted: this.#deletions.result(),
      ...this.#requests.result(),
    }
  }

  #statement(line: Uint8Array): BadRecord | undefined {
    const wrong = this.#deletions.statement(decoder.decode(line), this.#lines)
    return wrong === undefined ? undefined : this.#fail(wrong)
  }

  /** Links the chain over records that are gone. */
  #tombstone(bytes: Uint8Array): BadRecord | undefined {
    const line = this.#line
    const from = line.count('deletedFrom')
    const seq = line.count('seq')
    const hash = line.text('hash')
    if (from === 0 || seq < from || !HEX_64.test(hash)) return this.#fail('a tombstone that is malformed')
    const wrong =
      this.#brokenLink(from) ??
      this.#deletions.tombstone(decoder.decode(bytes), line.text('run'), from, seq) ??
      this.#witness?.(seq, hash)
    if (wrong !== undefined) return this.#fail(wrong, from)
    this.#moveTo(from, seq, hash)
    return undefined
  }

  #moveTo(first: number, last: number, hash: string): void {
    this.#firstSeq ??= first
    this.#lastSeq = last
    this.#head = hash
  }

  /** Whether the other members that the chain needs are there, in their form. */
  #isComplete(): boolean {
    const { from, to } = this.#line
    return to.prev - from.prev === GENESIS.length && from.prev > 0 && to.time - from.time === this.#lastTime.length
  }

  /** The hash of a line without its hash. */
  #digest(bytes: Uint8Array, from: number, to: number): string {
    const start = this.#line.from.hash - HASH_MEMBER
    const rest = this.#line.to.hash + 1
    if (start <= from) return ''
    const length = start - from + to - rest
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(2 * length)
    this.#scratch.set(bytes.subarray(from, start))
    this.#scratch.set(bytes.subarray(rest, to), start - from)
    return this.#hashing.sha256(this.#scratch.subarray(0, length))
  }

  /** The number tells more than the hash (what is missing, what came twice), so it is looked at first. */
  #brokenLink(seq: number): string | undefined {
    const last = this.#lastSeq
    if (last === undefined) {
      return seq === 1 && !this.#line.is('prev', GENESIS)
        ? 'prev does not match: the first record must have none before it'
        : undefined
    }
    if (seq > last + 1) return `seq jumps from ${last} to ${seq}`
    if (seq === last) return `seq ${seq} comes twice`
    if (seq < last) return `seq goes back from ${last} to ${seq}`
    return this.#line.is('prev', this.#head ?? '') ? undefined : 'prev does not match the record before'
  }

  /** Why a line is no record. Only one is ever read twice. */
  #explain(line: Uint8Array): BadRecord {
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line)
    } catch {
      return this.#fail('not UTF-8')
    }
    const read = readRecord(this.#hashing, text)
    if (!read.ok) return this.#fail(read.reason, read.seq)
    return this.#fail('not canonical JSON', read.record.seq)
  }

  #fail(reason: string, seq?: number): BadRecord {
    this.#bad = { file: this.#file, line: this.#lines, seq, reason }
    return this.#bad
  }
}

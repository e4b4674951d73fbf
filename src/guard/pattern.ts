import { complement, DIGITS, inBothCases, LINE_ENDS, normalise, SPACES, type UnitSet, WORD } from './unit-set.ts'

export type { UnitSet }

/**
 * The patterns of rules: a small, bounded subset of regular expressions, parsed into a tree. Everything it can express
 * has a longest match and needs no backtracking; what it cannot is refused with a reason that says what to write instead.
 */

export type PatternNode =
  | { readonly kind: 'set'; readonly set: UnitSet }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly item: PatternNode; readonly min: number; readonly max: number }

export interface Pattern {
  readonly root: PatternNode
  /** Units in the shortest and the longest match. */
  readonly shortest: number
  readonly longest: number
  /** Single-unit positions after repetitions are unrolled: what the automaton's size depends on. */
  readonly positions: number
}

/** Keeps one object for each different set, so that what is computed for a set is computed once. */
export class SetPool {
  private readonly known = new Map<string, UnitSet>()

  intern(set: UnitSet): UnitSet {
    const key = set.join(' ')
    const known = this.known.get(key)
    if (known) return known
    this.known.set(key, set)
    return set
  }

  get sets(): UnitSet[] {
    return [...this.known.values()]
  }
}

/** Longest match of one rule, in UTF-16 units: what a stream may have to hold back. */
export const MAX_PATTERN_LENGTH = 1024
/** Unrolled size of one rule. Bounds the memory and the time of determinisation. */
export const MAX_PATTERN_POSITIONS = 8192
const MAX_NESTING = 32

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

class PatternSyntaxError extends Error {}

/** Parses a pattern; `reason` says where and what is wrong, and what to write instead. */
export function parsePattern(source: string, caseSensitive: boolean, pool = new SetPool()): Parsed<Pattern> {
  return guarded(() => {
    const parser = new Parser(source, caseSensitive, pool)
    const root = parser.choice(0)
    if (!parser.done) throw new PatternSyntaxError(`unmatched ")" at ${parser.at}; write \\) for the sign`)
    const size = measure(root)
    if (size.longest > MAX_PATTERN_LENGTH) {
      throw new PatternSyntaxError(
        `a match may be ${size.longest} characters long; at most ${MAX_PATTERN_LENGTH}: lower the repetitions`,
      )
    }
    if (size.positions > MAX_PATTERN_POSITIONS) {
      throw new PatternSyntaxError(
        `${size.positions} characters with repetitions written out; at most ${MAX_PATTERN_POSITIONS}: lower them`,
      )
    }
    if (size.shortest === 0)
      throw new PatternSyntaxError('matches the empty text; at least one character has to be required')
    return { root, ...size }
  })
}

/** Parses a character class such as `[\w.-]` or `\d`. */
export function parseClass(source: string, caseSensitive: boolean, pool = new SetPool()): Parsed<UnitSet> {
  return guarded(() => {
    const parser = new Parser(source, caseSensitive, pool)
    const node = parser.atom(0)
    if (node.kind !== 'set' || !parser.done)
      throw new PatternSyntaxError('must be one character class, such as [A-Za-z0-9] or \\d')
    return node.set
  })
}

function guarded<T>(parse: () => T): Parsed<T> {
  try {
    return { ok: true, value: parse() }
  } catch (error) {
    if (error instanceof PatternSyntaxError) return { ok: false, reason: error.message }
    throw error
  }
}

interface Size {
  readonly shortest: number
  readonly longest: number
  readonly positions: number
}

function measure(node: PatternNode): Size {
  switch (node.kind) {
    case 'set':
      return { shortest: 1, longest: 1, positions: 1 }
    case 'repeat': {
      const item = measure(node.item)
      return {
        shortest: item.shortest * node.min,
        longest: item.longest * node.max,
        positions: item.positions * node.max,
      }
    }
    case 'sequence':
      return node.items.map(measure).reduce(
        (sum, item) => ({
          shortest: sum.shortest + item.shortest,
          longest: sum.longest + item.longest,
          positions: sum.positions + item.positions,
        }),
        { shortest: 0, longest: 0, positions: 0 },
      )
    case 'choice':
      return node.items.map(measure).reduce((one, other) => ({
        shortest: Math.min(one.shortest, other.shortest),
        longest: Math.max(one.longest, other.longest),
        positions: one.positions + other.positions,
      }))
  }
}

class Parser {
  at = 0
  private readonly source: string
  private readonly caseSensitive: boolean
  private readonly pool: SetPool

  constructor(source: string, caseSensitive: boolean, pool: SetPool) {
    this.source = source
    this.caseSensitive = caseSensitive
    this.pool = pool
  }

  get done(): boolean {
    return this.at >= this.source.length
  }

  choice(depth: number): PatternNode {
    if (depth > MAX_NESTING) throw new PatternSyntaxError(`groups are nested more than ${MAX_NESTING} deep`)
    const items = [this.sequence(depth)]
    while (this.take('|')) items.push(this.sequence(depth))
    return items.length === 1 ? (items[0] as PatternNode) : { kind: 'choice', items }
  }

  private sequence(depth: number): PatternNode {
    const items: PatternNode[] = []
    while (!this.done && this.peek() !== '|' && this.peek() !== ')') items.push(this.repeated(depth))
    return items.length === 1 ? (items[0] as PatternNode) : { kind: 'sequence', items }
  }

  private repeated(depth: number): PatternNode {
    let node = this.atom(depth)
    for (;;) {
      const start = this.at
      if (this.take('?')) {
        if (node.kind === 'repeat' && /[?}]/.test(this.source.charAt(start - 1))) {
          throw new PatternSyntaxError(
            `"?" at ${start} follows a repetition; none is lazy, the longest match counts; write (?:…)? for "or not at all"`,
          )
        }
        node = { kind: 'repeat', item: node, min: 0, max: 1 }
      } else if (this.peek() === '*' || this.peek() === '+') {
        throw new PatternSyntaxError(
          `unbounded repetition at ${start}; write ${this.peek() === '*' ? '{0,64}' : '{1,64}'} for "${this.peek()}"`,
        )
      } else if (this.peek() === '{') {
        node = { kind: 'repeat', item: node, ...this.bounds() }
      } else {
        return node
      }
    }
  }

  private bounds(): { min: number; max: number } {
    const start = this.at
    const close = this.source.indexOf('}', start)
    const text = close < 0 ? '' : this.source.slice(start + 1, close)
    const [low = '', high = low, ...rest] = text.split(',')
    if (rest.length > 0 || !isNumber(low) || (high !== '' && !isNumber(high))) {
      throw new PatternSyntaxError(`"{" at ${start} does not start a repetition such as {3} or {2,8}; write \\{`)
    }
    if (high === '') throw new PatternSyntaxError(`unbounded repetition at ${start}; write {${low},64}`)
    const min = Number(low)
    const max = Number(high)
    if (max < min || max === 0 || max > MAX_PATTERN_LENGTH) {
      throw new PatternSyntaxError(
        `repetition {m,n} at ${start}: n must be from 1 to ${MAX_PATTERN_LENGTH}, and m at most n`,
      )
    }
    this.at = close + 1
    return { min, max }
  }

  atom(depth: number): PatternNode {
    const start = this.at
    const char = this.next()
    switch (char) {
      case '(': {
        if (this.peek() === '?') {
          if (this.source.startsWith('?:', this.at)) this.at += 2
          else throw new PatternSyntaxError(this.strangeGroup(start))
        }
        const inner = this.choice(depth + 1)
        if (!this.take(')')) throw new PatternSyntaxError(`"(" at ${start} is not closed; write \\( for the sign`)
        return inner
      }
      case '[':
        return this.set(this.classBody(start))
      case '.':
        return this.set(complement(LINE_ENDS))
      case '^':
      case '$':
        throw new PatternSyntaxError(
          `anchor "${char}" at ${start}; patterns match anywhere; write \\${char} for the sign`,
        )
      case '\\':
        return this.set(this.fold(this.escape()))
      case '*':
      case '+':
      case '?':
      case '{':
        throw new PatternSyntaxError(`nothing to repeat at ${start}; write \\${char} for the sign`)
      default:
        return this.set(this.fold([[char.charCodeAt(0), char.charCodeAt(0)]]))
    }
  }

  private strangeGroup(start: number): string {
    const [opening = ''] = /^\(\?<?./.exec(this.source.slice(start, start + 4)) ?? []
    if (/[=!]/.test(opening)) {
      return `look-around "${opening}" at ${start}; set notAfter, notBefore, wholeWord or context for what stands around`
    }
    return `group "${opening}" at ${start}; only ( ) and (?: ) are known${opening === '(?i' ? ', set caseSensitive' : ''}`
  }

  private set(set: UnitSet): PatternNode {
    return { kind: 'set', set: this.pool.intern(set) }
  }

  private classBody(start: number): UnitSet {
    const negated = this.take('^')
    const ranges: [number, number][] = []
    while (!this.done && this.peek() !== ']') {
      const low = this.classItem()
      const lone = low.length === 1 && low[0]?.[0] === low[0]?.[1]
      if (lone && this.peek() === '-' && this.source[this.at + 1] !== ']') {
        this.at++
        const high = this.classItem()
        const first = low[0]?.[0] ?? 0
        const last = high[0]?.[1] ?? 0
        if (high.length !== 1 || last < first)
          throw new PatternSyntaxError(`range out of order in the class at ${start}; write the lower character first`)
        ranges.push([first, last])
      } else {
        for (const [first, last] of low) ranges.push([first, last])
      }
    }
    if (!this.take(']')) throw new PatternSyntaxError(`"[" at ${start} is not closed; write \\[ for the sign`)
    const set = this.fold(normalise(ranges))
    const result = negated ? complement(set) : set
    if (result.length === 0) throw new PatternSyntaxError(`class at ${start} is empty; write \\] for the sign`)
    return result
  }

  private classItem(): UnitSet {
    const start = this.at
    const char = this.next()
    if (char === '[' && this.peek() === ':') {
      throw new PatternSyntaxError(
        `"[:" at ${start}; classes have no names: write ranges such as A-Za-z, or \\[ for the sign`,
      )
    }
    return char === '\\' ? this.escape() : [[char.charCodeAt(0), char.charCodeAt(0)]]
  }

  private escape(): UnitSet {
    const start = this.at - 1
    const char = this.next()
    switch (char) {
      case 'd':
        return DIGITS
      case 'D':
        return complement(DIGITS)
      case 'w':
        return WORD
      case 'W':
        return complement(WORD)
      case 's':
        return SPACES
      case 'S':
        return complement(SPACES)
      case 'n':
        return [[0x0a, 0x0a]]
      case 'r':
        return [[0x0d, 0x0d]]
      case 't':
        return [[0x09, 0x09]]
      case 'x':
        return this.hex(2, start)
      case 'u':
        return this.hex(4, start)
      default: {
        if (/[A-Za-z0-9]/.test(char)) throw new PatternSyntaxError(strangeEscape(char, start))
        const unit = char.charCodeAt(0)
        return [[unit, unit]]
      }
    }
  }

  private hex(digits: number, start: number): UnitSet {
    const text = this.source.slice(this.at, this.at + digits)
    if (text.length < digits || !/^[0-9a-fA-F]+$/.test(text)) {
      throw new PatternSyntaxError(`escape at ${start} needs ${digits} hexadecimal digits`)
    }
    this.at += digits
    const unit = Number.parseInt(text, 16)
    return [[unit, unit]]
  }

  /** Both cases of every ASCII letter, unless the rule minds case. */
  private fold(set: UnitSet): UnitSet {
    return this.caseSensitive ? set : inBothCases(set)
  }

  private peek(): string | undefined {
    return this.source[this.at]
  }

  private next(): string {
    const char = this.source[this.at]
    if (char === undefined)
      throw new PatternSyntaxError('the pattern ends in the middle of an escape, a range or a group')
    this.at++
    return char
  }

  private take(char: string): boolean {
    if (this.source[this.at] !== char) return false
    this.at++
    return true
  }
}

function strangeEscape(char: string, start: number): string {
  if (char === 'b' || char === 'B') return `word boundary "\\${char}" at ${start}; set wholeWord, notAfter or notBefore`
  if (/[1-9k]/.test(char)) return `back-reference "\\${char}" at ${start}; write out what it repeats`
  if (char === 'p' || char === 'P') return `"\\${char}" at ${start}; write the characters, such as [A-Za-zÀ-ÿ]`
  return `unknown escape "\\${char}" at ${start}`
}

function isNumber(text: string): boolean {
  return /^[0-9]{1,4}$/.test(text)
}

import { fold } from './fold.ts'
import type { Parsed, SetPool, UnitSet } from './pattern.ts'

/** Terms at most in one rule. */
export const MAX_TERMS = 50_000
/** Longest term, in folded units. */
export const MAX_TERM_LENGTH = 256

/** From here on (Han, Kana, Hangul) characters share classes by blocks: each by itself would need more than a byte. */
const FIRST_COARSE = 0x2e80
/** Units in such a block. */
const BLOCK = 512

/** A node of a trie: the terms that begin alike share their way. */
export interface TermNode {
  /** By letter (in lower case, or by the block of a large script), what follows. */
  readonly next: Map<number, { readonly set: UnitSet; readonly node: TermNode }>
  /** Whether a term ends here. */
  ends: boolean
}

/** A dictionary of literal terms. */
export interface Terms {
  readonly root: TermNode
  readonly shortest: number
  readonly longest: number
  /** Nodes of the trie: what the automaton's size depends on. */
  readonly positions: number
  /**
   * Whether a text of the right form is a term; undefined where the trie says all. The trie tells characters of large scripts
   * apart by blocks only.
   */
  readonly has: ((match: string) => boolean) | undefined
}

/** Puts terms into a trie; `reason` says which term cannot be one, and why. */
export function parseTerms(terms: readonly string[], caseSensitive: boolean, pool: SetPool): Parsed<Terms> {
  if (terms.length === 0) return { ok: false, reason: 'terms: at least one' }
  if (terms.length > MAX_TERMS) return { ok: false, reason: `terms: ${terms.length}; at most ${MAX_TERMS}` }
  const letters = new Letters(caseSensitive, pool)
  const root: TermNode = { next: new Map(), ends: false }
  const known = new Set<string>()
  let [shortest, longest, positions, coarse] = [MAX_TERM_LENGTH, 0, 0, false]
  for (const [index, term] of terms.entries()) {
    const { text } = fold(term)
    const size = text.length
    if (text.trim() === '') return { ok: false, reason: `terms[${index}] is empty` }
    if (size > MAX_TERM_LENGTH) {
      return { ok: false, reason: `terms[${index}] is ${size} characters long; at most ${MAX_TERM_LENGTH}` }
    }
    for (const form of formsOf(text)) {
      let node = root
      for (let at = 0; at < form.length; at++) {
        const unit = form.charCodeAt(at)
        coarse ||= unit >= FIRST_COARSE
        const letter = letters.of(unit)
        let way = node.next.get(letter.key)
        if (!way) {
          way = { set: letter.set, node: { next: new Map(), ends: false } }
          node.next.set(letter.key, way)
          positions++
        }
        node = way.node
      }
      node.ends = true
      known.add(letters.plain(form))
      shortest = Math.min(shortest, form.length)
      longest = Math.max(longest, form.length)
    }
  }
  const has = coarse ? (match: string) => known.has(letters.plain(match)) : undefined
  return { ok: true, value: { root, shortest, longest, positions, has } }
}

/** The term, and the same with its accents as marks of their own: texts may be written either way. */
function formsOf(term: string): string[] {
  const apart = term.normalize('NFD')
  return apart === term || !/\p{M}/u.test(apart) || apart.length > MAX_TERM_LENGTH ? [term] : [term, apart]
}

/** What the units of terms stand for. */
class Letters {
  private readonly known = new Map<number, { readonly key: number; readonly set: UnitSet }>()
  private readonly caseSensitive: boolean
  private readonly pool: SetPool

  constructor(caseSensitive: boolean, pool: SetPool) {
    this.caseSensitive = caseSensitive
    this.pool = pool
  }

  of(unit: number): { readonly key: number; readonly set: UnitSet } {
    const known = this.known.get(unit)
    if (known) return known
    const ranges = this.ranges(unit)
    const letter = { key: ranges.flat().reduce((sum, one) => sum * 0x10000 + one), set: this.pool.intern(ranges) }
    this.known.set(unit, letter)
    return letter
  }

  /** The same for all texts that the sets take for the same term. */
  plain(text: string): string {
    if (this.caseSensitive) return text
    return Array.from({ length: text.length }, (_, at) => oneUnit(oneUnit(text.charAt(at), 'upper'), 'lower')).join('')
  }

  private ranges(unit: number): UnitSet {
    if (unit >= FIRST_COARSE) {
      const block = unit - (unit % BLOCK)
      return [[block, block + BLOCK - 1]]
    }
    const char = String.fromCharCode(unit)
    if (this.caseSensitive) return [[unit, unit]]
    const small = oneUnit(char, 'lower')
    const codes = [oneUnit(small, 'upper'), small].map(one => one.charCodeAt(0)).sort((one, other) => one - other)
    return [...new Set(codes)].map(code => [code, code])
  }
}

/** In the other case, where that is one unit too. */
function oneUnit(char: string, form: 'lower' | 'upper'): string {
  const changed = form === 'lower' ? char.toLowerCase() : char.toUpperCase()
  return changed.length === 1 ? changed : char
}

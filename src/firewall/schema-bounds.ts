import type { Excess } from './excess.ts'
import type { Limits } from './limits.ts'
import { patternCost } from './pattern-cost.ts'

/** Keywords of JSON Schema whose number a grammar is as large as. */
const REPEATS = new Set(['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'])

/**
 * The first bound that a JSON Schema of a caller exceeds. Model servers compile schemas to grammars or automata before the
 * first token, on a thread that others wait for: size, nesting, repetitions and patterns are what that costs. A reference
 * to another document would have to be fetched.
 */
export function schemaExcess(schema: unknown, place: string, limits: Limits): Excess | undefined {
  const walk = new SchemaWalk(place, limits)
  const found = walk.value(schema, 1)
  if (found) return found
  if (walk.characters <= limits.schemaCharacters) return undefined
  return { param: place, amount: walk.characters, what: 'characters', limit: limits.schemaCharacters }
}

class SchemaWalk {
  characters = 0
  private readonly place: string
  private readonly limits: Limits

  constructor(place: string, limits: Limits) {
    this.place = place
    this.limits = limits
  }

  /** `depth`: how many brackets are open when this value is one. */
  value(value: unknown, depth: number): Excess | undefined {
    if (typeof value !== 'object' || value === null) {
      this.characters += typeof value === 'string' ? value.length + 2 : 5
      return undefined
    }
    if (depth > this.limits.schemaDepth) {
      return { param: this.place, amount: depth, what: 'levels', limit: this.limits.schemaDepth }
    }
    this.characters += 2
    for (const [key, inner] of Object.entries(value)) {
      this.characters += Array.isArray(value) ? 1 : key.length + 4
      const found = this.keyword(key, inner) ?? this.value(inner, depth + 1)
      if (found) return found
    }
    return undefined
  }

  private keyword(key: string, value: unknown): Excess | undefined {
    if (key === '$ref' && typeof value === 'string' && !value.startsWith('#')) {
      return {
        param: this.place,
        forbidden: 'has a $ref to another document; only those that begin with # are followed',
      }
    }
    if (typeof value === 'number' && REPEATS.has(key)) return this.repeats(value, `as ${key}`)
    if (key === 'pattern' && typeof value === 'string')
      return this.repeats(patternCost(value), 'positions in a pattern')
    if (key === 'patternProperties' && typeof value === 'object' && value !== null) {
      for (const pattern of Object.keys(value)) {
        const found = this.repeats(patternCost(pattern), 'positions in a pattern')
        if (found) return found
      }
    }
    return undefined
  }

  private repeats(amount: number, what: string): Excess | undefined {
    const limit = this.limits.schemaRepeats
    return amount > limit ? { param: this.place, amount, what, limit } : undefined
  }
}

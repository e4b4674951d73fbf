/** A value with its unit, as people write it in the configuration. */
export type Quantity = 'duration' | 'size' | 'count'

const UNITS: Readonly<Record<Quantity, Readonly<Record<string, number>>>> = {
  duration: { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 },
  size: { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 },
  count: { '': 1, k: 1000, M: 1_000_000 },
}

/** What a quantity looks like, for JSON Schema. Whole numbers only: `90s`, not `1.5m`. */
export const QUANTITY_PATTERNS: Readonly<Record<Quantity, RegExp>> = {
  duration: /^\d{1,15}(ms|s|m|h|d)$/,
  size: /^\d{1,15}(B|KiB|MiB|GiB)$/,
  count: /^\d{1,15}[kM]?$/,
}

/** What to write, for messages. */
export const QUANTITY_HINTS: Readonly<Record<Quantity, string>> = {
  duration: 'a duration with its unit, such as 300ms, 30s, 15m, 12h or 90d',
  size: 'a size with its unit, such as 512B, 64KiB, 1MiB or 1GiB',
  count: 'a whole number, such as 30, 100k or 5M',
}

/**
 * Reads a quantity in its base unit: milliseconds, bytes, or a plain count. Undefined where the text is no such
 * quantity or is too large to be counted exactly.
 */
export function parseQuantity(quantity: Quantity, text: string): number | undefined {
  if (!QUANTITY_PATTERNS[quantity].test(text)) return undefined
  const digits = /^\d+/.exec(text)?.[0] ?? ''
  const factor = UNITS[quantity][text.slice(digits.length)]
  if (factor === undefined) return undefined
  const value = Number(digits) * factor
  return Number.isSafeInteger(value) ? value : undefined
}

/** Writes a quantity with the largest unit that divides it, so that `parseQuantity` reads the same value back. */
export function formatQuantity(quantity: Quantity, value: number): string {
  let text = `${value}`
  for (const [unit, factor] of Object.entries(UNITS[quantity])) {
    if (value % factor === 0 && (value !== 0 || factor === 1)) text = `${value / factor}${unit}`
  }
  return text
}

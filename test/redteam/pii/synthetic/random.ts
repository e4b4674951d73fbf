/** Characters by name, for `Random.text`. */
const ALPHABETS = {
  digit: '0123456789',
  hex: '0123456789abcdef',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  upperAlnum: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  lowerAlnum: 'abcdefghijklmnopqrstuvwxyz0123456789',
  alnum: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  base64url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
} as const

export type Alphabet = keyof typeof ALPHABETS

/** Seeded random choices: the same seed gives the same texts on every machine (mulberry32). */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed
  }

  /** In [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  /** An integer from `first` to `last`. */
  int(first: number, last: number): number {
    return first + Math.floor(this.next() * (last - first + 1))
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T
  }

  text(alphabet: Alphabet, length: number): string {
    const characters = ALPHABETS[alphabet]
    return Array.from({ length }, () => characters[this.int(0, characters.length - 1)]).join('')
  }

  digits(length: number): string {
    return this.text('digit', length)
  }

  /** A template with `#` for a digit, `%` for a hexadecimal one, `@` for a capital letter, `?` for a letter or digit. */
  form(template: string): string {
    return template.replace(/[#%@?]/g, sign =>
      sign === '#' ? this.digits(1) : this.text(sign === '%' ? 'hex' : sign === '@' ? 'upper' : 'alnum', 1),
    )
  }

  uuid(): string {
    return this.form('%%%%%%%%-%%%%-4%%%-a%%%-%%%%%%%%%%%%')
  }
}

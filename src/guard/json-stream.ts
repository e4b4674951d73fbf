import type { GuardedText, TextFilter } from './text-guard.ts'
import { type Steps, slicesOf } from './turns.ts'

/** Characters of one number or word outside strings; JSON has none that need as many. */
const MAX_SCALAR = 256
const NOT_PLAIN = /["\\]/
const SCALAR = /[-+.\w]/
const SPACE = /[ \t\n\r]/
const ESCAPE = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})$/

/** The token in front, as far as it decides what may follow. */
type Before = 'start' | 'open' | 'comma' | 'colon' | 'string' | 'value'

/**
 * Guards JSON that comes as a growing text, such as the arguments of a tool call, while it grows. Strings (keys too) are
 * checked on their decoded form, each by itself, and numbers as they are written; what comes out is JSON of the same
 * structure, put together the same whatever the pieces were. From the first character that JSON cannot have there, the rest
 * is guarded as plain text.
 *
 * Held back are: what the string in progress holds, an escape in progress, and a number or word together with the white
 * space behind it, since what follows decides whether it is JSON at all.
 */
export class GuardedJson implements GuardedText {
  private readonly open: () => GuardedText
  private before: Before = 'start'
  /** The string in progress. */
  private inside: GuardedText | null = null
  /** An escape in progress. */
  private escape = ''
  /** Raw forms of the units that `inside` holds, where one of them was escaped: what is not touched keeps its form. */
  private raws: string[] | null = null
  /** What `inside` holds, where nothing of it was escaped. */
  private pending = ''
  /** A number or word, with white space behind it. */
  private scalar = ''
  /** Guards the rest, once this is not JSON. */
  private plain: GuardedText | null = null

  /** `open` begins the guarding of one text. */
  constructor(open: () => GuardedText) {
    this.open = open
  }

  get heldLength(): number {
    if (this.plain) return this.plain.heldLength
    return this.scalar.length + this.escape.length + (this.inside?.heldLength ?? 0)
  }

  push(text: string): string {
    let out = ''
    let at = 0
    while (at < text.length) {
      if (this.plain) return out + this.plain.push(text.slice(at))
      if (this.inside) {
        const end = this.stringEnd(text, at)
        out += this.grow(this.inside, text.slice(at, end))
        at = end
        if (at < text.length) {
          out += `${this.close(this.inside)}"`
          at++
        }
        continue
      }
      const char = text.charAt(at)
      if (this.scalar !== '' && (SPACE.test(char) || (SCALAR.test(char) && !SPACE.test(this.scalar)))) {
        this.scalar += char
        if (this.scalar.length > MAX_SCALAR) out += this.giveUp('')
        at++
      } else if (!this.takes(char)) {
        out += this.giveUp('')
      } else {
        out += this.token(char)
        at++
      }
    }
    return out
  }

  end(): string {
    if (this.plain) return this.plain.end()
    if (!this.inside) return this.takeScalar()
    const { inside } = this
    // An escape that never ended is no character.
    this.escape = ''
    return this.close(inside)
  }

  /** Whether `char` may stand here in JSON. Containers are not counted: no text can hide in a wrong bracket. */
  private takes(char: string): boolean {
    const before = this.scalar === '' ? this.before : 'value'
    if (SPACE.test(char)) return true
    switch (char) {
      case '{':
      case '[':
        return mayBegin(before)
      case '}':
      case ']':
        return before === 'open' || before === 'string' || before === 'value'
      case ':':
        return before === 'string'
      case ',':
        return before === 'string' || before === 'value'
      case '"':
        return mayBegin(before)
      default:
        return SCALAR.test(char) && mayBegin(before)
    }
  }

  private token(char: string): string {
    if (SPACE.test(char)) return char
    if (SCALAR.test(char)) {
      this.scalar = char
      return ''
    }
    const out = this.takeScalar() + char
    if (char === '"') {
      this.inside = this.open()
    } else {
      this.before = char === '{' || char === '[' ? 'open' : char === ',' ? 'comma' : char === ':' ? 'colon' : 'value'
    }
    return out
  }

  private takeScalar(): string {
    if (this.scalar === '') return ''
    const raw = this.scalar
    const word = raw.trimEnd()
    this.scalar = ''
    this.before = 'value'
    const text = this.open()
    const guarded = text.push(word) + text.end()
    return (guarded === word ? word : JSON.stringify(guarded)) + raw.slice(word.length)
  }

  /** From here on it is no JSON: what was held and all that follows is one plain text. */
  private giveUp(text: string): string {
    this.plain = this.open()
    const held = this.scalar
    this.scalar = ''
    return this.plain.push(held + text)
  }

  /** Where the string in progress ends in `text`, or its length. */
  private stringEnd(text: string, from: number): number {
    let escaped = this.escape === '\\'
    for (let at = from; at < text.length; at++) {
      const char = text.charAt(at)
      if (escaped) escaped = false
      else if (char === '\\') escaped = true
      else if (char === '"') return at
    }
    return text.length
  }

  /** The string in progress grows by a raw piece. */
  private grow(inside: GuardedText, piece: string): string {
    const raw = this.escape + piece
    this.escape = ''
    if (this.raws === null && !NOT_PLAIN.test(raw)) {
      const released = escaped(inside.push(raw))
      const held = inside.heldLength
      this.pending = held === 0 ? '' : (this.pending + raw).slice(-held)
      return released
    }
    return this.growEscaped(inside, raw)
  }

  private growEscaped(inside: GuardedText, raw: string): string {
    const forms = this.raws ?? this.pending.split('')
    this.pending = ''
    let text = ''
    for (let at = 0; at < raw.length; ) {
      const form = raw[at] === '\\' ? escapeAt(raw, at) : raw.charAt(at)
      if (form === null) {
        this.escape = raw.slice(at)
        break
      }
      const unit = decoded(form)
      // What is no escape of JSON is written as what it is read as: else its form would depend on what is replaced near it.
      forms.push(form.length === 1 || ESCAPE.test(form) ? form : escaped(unit))
      text += unit
      at += form.length
    }
    const released = inside.push(text)
    this.raws = forms.splice(forms.length - inside.heldLength)
    return inForm(forms, released)
  }

  private close(inside: GuardedText): string {
    const rest = inside.end()
    const closed = this.raws ? inForm(this.raws, rest) : escaped(rest)
    this.inside = null
    this.raws = null
    this.pending = ''
    this.before = 'string'
    return closed
  }
}

/** Whether a string, a number or a word may stand here. */
function mayBegin(before: Before): boolean {
  return before !== 'string' && before !== 'value'
}

/** Released text in the raw forms of its units, as long as nothing was replaced in it. */
function inForm(forms: readonly string[], released: string): string {
  const untouched = released.length === forms.length && forms.every((form, unit) => decoded(form) === released[unit])
  return untouched ? forms.join('') : escaped(released)
}

/** The escape that begins at `at`; null where it is not complete. */
function escapeAt(raw: string, at: number): string | null {
  if (at + 1 >= raw.length) return null
  if (raw[at + 1] !== 'u') return raw.slice(at, at + 2)
  return at + 6 <= raw.length ? raw.slice(at, at + 6) : null
}

/** The unit that a raw form stands for. What is no escape of JSON stands for what it shows. */
function decoded(form: string): string {
  if (form.length === 1) return form
  switch (form[1]) {
    case 'u': {
      const unit = Number.parseInt(form.slice(2), 16)
      return /^[0-9a-fA-F]{4}$/.test(form.slice(2)) ? String.fromCharCode(unit) : '\ufffd'
    }
    case 'n':
      return '\n'
    case 't':
      return '\t'
    case 'r':
      return '\r'
    case 'b':
      return '\b'
    case 'f':
      return '\f'
    default:
      return form.charAt(1)
  }
}

/** As it stands between the quotes of a JSON string. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** A whole text of JSON, guarded in steps. */
export function* jsonInSteps(guard: TextFilter, text: string): Steps<string> {
  const guarded = new GuardedJson(() => guard.open())
  let out = ''
  for (const slice of slicesOf(text)) {
    out += guarded.push(slice)
    yield
  }
  return out + guarded.end()
}

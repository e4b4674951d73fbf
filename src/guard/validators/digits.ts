/** The ASCII digits of a text, everything else dropped. */
export function digitsOf(text: string): string {
  let digits = ''
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 48 && code <= 57) digits += text[at]
  }
  return digits
}

/** Whether the unit is an ASCII digit. */
export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Whether the unit is a letter or digit of ASCII. */
export function isLetterOrDigit(code: number): boolean {
  const lower = code | 0x20
  return isDigit(code) || (lower >= 97 && lower <= 122)
}

/** Whether a number goes on into what follows `before`: it ends in a digit and one of `.`, `-`, `/`, `,`. */
export function continuesNumber(before: string): boolean {
  const last = before.charCodeAt(before.length - 1)
  const joins = last === 45 || last === 46 || last === 47 || last === 44
  return joins && before.length > 1 && isDigit(before.charCodeAt(before.length - 2))
}

/**
 * Guards JSON that travels as text, such as the arguments of a tool call: the strings and numbers inside are checked on
 * their decoded form, and the result is valid JSON of the same structure wherever the original was.
 */

const SPACE = /\s/
const SCALAR = /[-+.\w]/

/** `guard` gives the guarded form of one text. What is not JSON is guarded as one text. */
export function guardJsonText(json: string, guard: (text: string) => string): string {
  if (!isJson(json)) return guard(json)
  let result = ''
  let at = 0
  while (at < json.length) {
    const char = json.charAt(at)
    let end = at + 1
    if (char === '"') {
      while (json.charAt(end) !== '"') end += json.charAt(end) === '\\' ? 2 : 1
      end++
      const raw = json.slice(at, end)
      const text = JSON.parse(raw) as string
      const guarded = guard(text)
      result += guarded === text ? raw : JSON.stringify(guarded)
    } else if (!SPACE.test(char) && SCALAR.test(char)) {
      while (end < json.length && SCALAR.test(json.charAt(end))) end++
      const raw = json.slice(at, end)
      const guarded = guard(raw)
      result += guarded === raw ? raw : JSON.stringify(guarded)
    } else {
      result += char
    }
    at = end
  }
  return result
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

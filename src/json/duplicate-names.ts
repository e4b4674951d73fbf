/** Strings and the marks that give JSON its form; numbers and words in between do not matter. */
const PARTS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g

/**
 * Whether an object anywhere in the text has two members of one name. `JSON.parse` takes the last and other readers the
 * first, so that two programs would see different things. The text has to be valid JSON; linear in its length.
 */
export function hasDuplicateNames(json: string): boolean {
  /** Of each open object the names so far; undefined for an array. */
  const open: (Set<string> | undefined)[] = []
  let isName = false
  for (const [part] of json.matchAll(PARTS)) {
    const names = open.at(-1)
    if (part === '{' || part === '[') {
      open.push(part === '{' ? new Set() : undefined)
      isName = part === '{'
    } else if (part === '}' || part === ']') {
      open.pop()
      isName = false
    } else if (part === ',') {
      isName = names !== undefined
    } else if (isName && names !== undefined) {
      const name = JSON.parse(part) as string
      if (names.has(name)) return true
      names.add(name)
      isName = false
    }
  }
  return false
}

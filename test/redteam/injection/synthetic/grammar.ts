import type { Random } from '../../pii/synthetic/random.ts'

/** Texts by name, each with `{name}` for one of another list and `[one|other|]` for one of those that stand there. */
export type Grammar = Readonly<Record<string, readonly string[]>>

/** One text that the grammar has for the template. */
export function expand(random: Random, grammar: Grammar, template: string): string {
  let text = template
  for (let depth = 0; depth < 12 && /[{[]\w*[^{}[\]]*[}\]]/.test(text); depth++) {
    const before = text
    text = text
      .replace(/\{(\w+)\}/g, (whole, name: string) =>
        grammar[name] === undefined ? whole : random.pick(grammar[name]),
      )
      .replace(/\[([^[\]{}\n]*\|[^[\]{}\n]*)\]/g, (_, options: string) => random.pick(options.split('|')))
    if (text === before) break
  }
  return text
}

/** How people write when they do not write carefully. */
export function styled(random: Random, text: string): string {
  const style = random.next()
  if (style < 0.12) return text.toUpperCase()
  if (style < 0.3) return text.toLowerCase()
  if (style < 0.36) return text.replace(/[.,!?;:]/g, '')
  if (style < 0.4) return text.replace(/ /g, () => (random.next() < 0.3 ? '  ' : ' '))
  if (style < 0.46) return misspelt(random, text)
  return text
}

function misspelt(random: Random, text: string): string {
  return text.replace(/\p{L}{5,}/gu, word => {
    if (random.next() > 0.25) return word
    const at = random.int(1, word.length - 3)
    const [one = '', other = ''] = [word[at], word[at + 1]]
    return random.next() < 0.5
      ? word.slice(0, at) + other + one + word.slice(at + 2)
      : word.slice(0, at) + word.slice(at + 1)
  })
}

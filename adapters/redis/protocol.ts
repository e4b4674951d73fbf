/** A word of the Redis protocol, of ASCII characters. */
export function word(ascii: string | number): string {
  const text = String(ascii)
  return `$${text.length}\r\n${text}\r\n`
}

/** A word of any characters. */
export function utf8Word(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}

export function numberWords(numbers: readonly number[]): string {
  let words = ''
  for (const number of numbers) words += word(number)
  return words
}

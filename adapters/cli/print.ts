import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Data goes to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}

/** What is about the data, and not the data, goes to stderr. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Colours text where the stream is a terminal that wants it (`NO_COLOR`). */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream): string {
  return styleText(style, text, { stream, validateStream: true })
}

/** Columns of text, as wide as their widest cell. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  for (const row of rows)
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

/** Callers choose some of the texts: none may speak to the terminal. */
export function printable(value: string): string {
  return value.replaceAll(/\p{C}/gu, '\ufffd')
}

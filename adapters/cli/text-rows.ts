import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { reasonOf } from '../node/error-code.ts'
import { CommandFailure } from './failure.ts'

/** A line of a file of texts. */
export interface TextRow {
  /** What the line has as its `id`; undefined where it has none. */
  readonly id: unknown
  readonly text: string
}

/** The file, or standard input where it is `-` or not named. */
export function openInput(file: string | undefined): Readable {
  return file === undefined || file === '-' ? process.stdin : createReadStream(file)
}

/**
 * The rows of JSON Lines, one object with a string `text` a line, as they come; empty lines are left out.
 * @throws CommandFailure that names the line, or says why nothing can be read
 */
export async function* textRows(input: Readable): AsyncGenerator<TextRow> {
  let number = 0
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (line.trim() !== '') yield parseRow(line, number)
    }
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    throw new CommandFailure(`cannot read: ${reasonOf(error)}`)
  }
}

function parseRow(line: string, number: number): TextRow {
  let row: unknown
  try {
    row = JSON.parse(line)
  } catch {
    throw new CommandFailure(`line ${number}: not JSON`)
  }
  const { id, text } = (typeof row === 'object' && row !== null ? row : {}) as { id?: unknown; text?: unknown }
  if (typeof text !== 'string') throw new CommandFailure(`line ${number}: no string "text"`)
  return { id, text }
}

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Category, type Floors, type Parsed, parseFloors, parseProbes } from '../../../src/redteam/suite.ts'
import { reasonOf } from '../../node/error-code.ts'
import { nodeHashing } from '../../node/hashing.ts'
import { readText } from '../../node/read-text.ts'
import { CommandFailure } from '../failure.ts'

const MAX_SUITE_BYTES = 16 * 1024 * 1024
const MAX_CATEGORIES = 100

export interface Suite {
  /** By name. */
  readonly categories: readonly Category[]
  readonly floors: Floors
  /** SHA-256 over names and contents, in hex. */
  readonly digest: string
}

/** Reads `*.jsonl`, a category each, and `floors.json`. @throws CommandFailure naming the file and what is wrong with it */
export async function readSuite(folder: string): Promise<Suite> {
  const names = (await list(folder)).filter(name => name.endsWith('.jsonl')).sort()
  if (names.length === 0) throw new CommandFailure(`--suite: ${folder} has no .jsonl files`)
  if (names.length > MAX_CATEGORIES)
    throw new CommandFailure(`--suite: ${folder} has more than ${MAX_CATEGORIES} files`)
  const texts: string[] = []
  const read = async <T>(name: string, parse: (text: string) => Parsed<T>): Promise<T> => {
    const path = join(folder, name)
    const file = await readText(path, MAX_SUITE_BYTES)
    if (!file.ok) throw new CommandFailure(`${path} cannot be read: ${file.reason}`)
    texts.push(`${name}\n${file.text}`)
    const parsed = parse(file.text)
    if (!parsed.ok) throw new CommandFailure(`${path}: ${parsed.reason}`)
    return parsed.value
  }
  const floors = await read('floors.json', parseFloors)
  const categories: Category[] = []
  for (const name of names) {
    categories.push({ name: name.slice(0, -'.jsonl'.length), probes: await read(name, parseProbes) })
  }
  const unknown = Object.keys(floors).find(name => !categories.some(category => category.name === name))
  if (unknown !== undefined) throw new CommandFailure(`${join(folder, 'floors.json')}: there is no ${unknown}.jsonl`)
  return { categories, floors, digest: nodeHashing.sha256(texts.join('\0')) }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    throw new CommandFailure(`--suite: ${folder} cannot be read: ${reasonOf(error)}`)
  }
}

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Finder } from './labelled.ts'

const TEXT_FILE =
  /\.(?:md|txt|ts|tsx|js|mjs|cjs|json|ya?ml|css|html|toml|sh|py|go|java|rs|c|h|log|csv|sql|lock|jsonl|xml|rb|php|pl|cfg|ini|conf|rst|tex|scss)$/i
const MAX_FILE_BYTES = 1 << 20

/** What the rules find in ordinary text and code, in which there is next to nothing to find. */
export interface Corpus {
  readonly files: number
  readonly characters: number
  readonly byRule: ReadonlyMap<string, readonly string[]>
}

/** Scans the text files under a folder, each up to 1 MiB. */
export function scanCorpus(folder: string, find: Finder): Corpus {
  const byRule = new Map<string, string[]>()
  let files = 0
  let characters = 0
  for (const entry of readdirSync(folder, { recursive: true }) as string[]) {
    const file = join(folder, entry)
    const stat = TEXT_FILE.test(entry) ? statSync(file, { throwIfNoEntry: false }) : undefined
    if (!stat?.isFile() || stat.size > MAX_FILE_BYTES) continue
    const text = readFileSync(file, 'utf8')
    files++
    characters += text.length
    for (const { rule, start, end } of find(text)) {
      const alarms = byRule.get(rule) ?? []
      alarms.push(`${entry}: ${excerpt(text, start, end)}`)
      byRule.set(rule, alarms)
    }
  }
  return { files, characters, byRule }
}

/** The match between « and », with some of its line around it. */
export function excerpt(text: string, start: number, end: number): string {
  const around = 40
  const before = text.slice(Math.max(0, start - around), start)
  const after = text.slice(end, end + around)
  return `${before}«${text.slice(start, end).slice(0, 80)}»${after}`.replace(/\s+/g, ' ')
}

import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../../..')

/** README.md and every page of docs/, but for those that are made from the code. */
export const PAGES: readonly string[] = ['README.md', ...globSync('docs/*.md', { cwd: ROOT }).sort()]

/** A fenced block of a page. */
export interface Block {
  readonly page: string
  readonly line: number
  readonly language: string
  readonly text: string
  /** Of `<!-- not run: reason -->` right before it. */
  readonly notRun: string | undefined
  /** How its last command ends: 0 but for `<!-- exits with 1: reason -->`. */
  readonly exit: number
  /** The second-level heading that it stands under. */
  readonly section: string
}

/** All blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const source = readFileSync(resolve(ROOT, page), 'utf8')
  const fence = /(?:<!-- (?:not run: (.+?)|exits with (\d): .+?) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm
  return [...source.matchAll(fence)].map(({ 0: whole, 1: notRun, 2: exit, 3: language = '', 4: text = '', index }) => ({
    page,
    line: source.slice(0, index + whole.indexOf('```')).split('\n').length,
    language,
    text,
    notRun,
    exit: Number(exit ?? 0),
    section:
      /^## (.*)$/gm.exec(
        source
          .slice(0, index)
          .split(/^(?=## )/m)
          .at(-1) ?? '',
      )?.[1] ?? '',
  }))
}

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { parsePattern } from '../../src/guard/pattern.ts'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PAGES = globSync(['*.md', 'docs/**/*.md', 'test/data/**/*.md'], { cwd: ROOT }).sort()
const read = (page: string) => readFileSync(join(ROOT, page), 'utf8')

/** What GitHub makes of a heading for links to it. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

const anchors = (page: string) => [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading ?? ''))

describe.each(PAGES)('%s', page => {
  const prose = read(page).replaceAll(/```[\s\S]*?```/g, '')

  test('links to what is there', () => {
    const broken = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link ?? '')
      .filter(link => !/^https?:/.test(link))
      .filter(link => {
        const [path = '', heading] = link.split('#')
        const target = path === '' ? page : join(dirname(page), path)
        if (!existsSync(join(ROOT, target))) return true
        return heading !== undefined && !anchors(target).includes(heading)
      })
    expect(broken).toEqual([])
  })

  test('names files that are there', () => {
    const named = [...prose.matchAll(/`((?:src|test|adapters|deploy|docs)\/[\w./-]*\w)\/?`/g)].map(
      ([, path]) => path ?? '',
    )
    expect(named.filter(path => !existsSync(join(ROOT, path)))).toEqual([])
  })
})

describe('what the pages say', () => {
  test('the configuration of the README is valid, and enforced in full', async () => {
    const yaml = /`sallyport\.yaml`:\n\n```yaml\n([\s\S]*?)```/.exec(read('README.md'))?.[1] ?? ''
    const loaded = await loadConfig(yaml, {
      env: { PROMPT_HMAC_SECRET: '0123456789abcdef0123456789abcdef0123456789abcdef' },
      readFile: async () => ({ ok: false, reason: 'no file is included' }),
      resolvePath: path => resolve('/etc/sallyport', path),
    })
    expect(loaded).toMatchObject({ ok: true, warnings: [] })
  })

  test('there are as many recognisers as the README and the changelog count', () => {
    const count = (group: string) => BUILT_IN_RULES.filter(rule => rule.group === group).length
    const words = `${count('pii')} recognisers of personal data, ${count('secrets')} of secrets`
    for (const page of ['README.md', 'CHANGELOG.md']) expect(read(page).replaceAll(/\s+/g, ' ')).toContain(words)
  })

  test('patterns are refused with the reasons that the guide gives', () => {
    const table = read('docs/guard.md').split('| pattern | refused with |')[1] ?? ''
    const rows = [...table.split('\n\n')[0]!.matchAll(/^\| `(.+)` \| (.+) \|$/gm)]
    expect(rows.length).toBeGreaterThan(4)
    for (const [, pattern = '', reason = ''] of rows) {
      expect(parsePattern(pattern, false)).toEqual({ ok: false, reason: reason.replaceAll('\\\\', '\\') })
    }
  })
})

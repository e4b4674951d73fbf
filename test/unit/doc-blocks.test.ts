import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { type Block, blocksOf, PAGES } from '../e2e/docs/blocks.ts'
import { load, SECRET } from '../support/config.ts'

const BLOCKS = PAGES.flatMap(blocksOf)
const called = ({ page, line }: Block) => `${page}:${line}`

/** What every language of the pages is taken for. A block in another one must say why it is not run. */
const RUN = ['sh', 'console', 'ts', 'yaml', 'yml', 'json']
/** Pictures, and text that nobody types. */
const SHOWN = ['', 'mermaid']

/** Every variable that a text names is set. */
const environmentOf = (text: string) => ({
  ...Object.fromEntries([...text.matchAll(/\$\{env:(\w+)\}/g)].map(([, name]) => [name, 'a value'])),
  PROMPT_HMAC_SECRET: SECRET,
})
const FILES = { '/base/projects.txt': 'Blue Heron\n', '/run/secrets/collector-hmac': SECRET }

test('every block is run, or says why not', () => {
  const silent = BLOCKS.filter(({ language, notRun }) => ![...RUN, ...SHOWN].includes(language) && !notRun)
  expect(silent.map(called)).toEqual([])
  // A new exception is a decision: it is counted here.
  expect(
    BLOCKS.filter(({ notRun }) => notRun !== undefined).map(({ page, notRun }) => `${page}: ${notRun}`),
  ).toHaveLength(21)
})

describe('configuration', () => {
  const yaml = BLOCKS.filter(({ language, notRun }) => /^ya?ml$/.test(language) && !notRun)

  test.each(yaml.map(block => [called(block), block.text]))('%s is valid', async (_, text) => {
    const block: unknown = parse(text)
    // A list alone is what stands under audit.forward; all others begin at the top of the file.
    const given = (Array.isArray(block) ? { audit: { forward: block } } : block) as Record<string, object>
    const least = { models: [{ id: 'm', upstreams: [{ url: 'http://127.0.0.1:8080/v1', kind: 'llama.cpp' }] }] }
    const whole = { ...least, ...given, audit: { hmacSecret: SECRET, ...given['audit'] } }
    const loaded = await load(stringify(whole), environmentOf(text), FILES)
    expect(loaded.ok ? [] : loaded).toEqual([])
  })
})

describe('JSON', () => {
  const json = BLOCKS.filter(({ language, notRun }) => language === 'json' && !notRun)
  test.each(json.map(block => [called(block), block.text]))('%s can be read', (_, text) => {
    expect(JSON.parse(text)).toBeTypeOf('object')
  })
})

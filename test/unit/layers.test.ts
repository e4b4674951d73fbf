import { expect, test } from 'vitest'
import { violations } from '../layers/layers.ts'

const check = (files: Record<string, string>) => violations(new Map(Object.entries(files)))

test('a core that keeps to itself has no violations', async () => {
  const found = await check({
    'src/gateway.ts': `import { Hono } from 'hono'\nimport { decide } from './policy/decide.ts'\nexport const app = [Hono, decide]`,
    'src/policy/decide.ts': `import type { Clock } from '../ports/clock.ts'\nexport const decide = (clock: Clock) => clock`,
    'src/ports/clock.ts': `export interface Clock { now(): number }`,
    'adapters/node/clock.ts': `import { hrtime } from 'node:process'\nimport type { Clock } from '../../src/ports/clock.ts'\nexport const clock: Clock = { now: () => Number(hrtime.bigint() + BigInt(process.pid)) }`,
  })
  expect(found).toEqual([])
})

test.each([
  ['a Node module', `import { readFile } from 'node:fs'`, 'node:fs'],
  ['a Bun module', `export * from 'bun:sqlite'`, 'bun:sqlite'],
  [
    'a workerd module, for its type alone',
    `import type { DurableObject } from 'cloudflare:workers'`,
    'cloudflare:workers',
  ],
  ['an adapter', `import { clock } from '../../adapters/node/clock.ts'`, 'adapters/node/clock.ts'],
  [
    'an adapter, on demand',
    `export const later = () => import('../../adapters/node/clock.ts')`,
    'adapters/node/clock.ts',
  ],
  ['the pipeline', `import type { Exchange } from '../pipeline/exchange.ts'`, 'src/pipeline/exchange.ts'],
  ['the gateway', `import { app } from '../gateway.ts'`, 'src/gateway.ts'],
  ['the framework', `import { HTTPException } from 'hono/http-exception'`, 'hono/http-exception'],
])('a domain may not import %s', async (_, code, target) => {
  const found = await check({ 'src/quota/window.ts': code })
  expect(found).toEqual([expect.stringContaining(`src/quota/window.ts imports ${target}: `)])
})

test.each([
  ['process', `export const home = process.env.HOME`],
  ['process', `export const home = globalThis.process.env.HOME`],
  ['process', `declare const process: { pid: number }\nexport const pid = process.pid`],
  ['Buffer', `export const bytes = Buffer.from('a')`],
  ['Bun', `export const isBun = typeof Bun !== 'undefined'`],
])('the core may not use %s: %s', async (name, code) => {
  expect(await check({ 'src/pipeline/forward.ts': code })).toEqual([
    expect.stringContaining(`src/pipeline/forward.ts uses ${name}: `),
  ])
})

test('words, properties and variables that share a global’s name are not that global', async () => {
  const found = await check({
    'src/sse/parser.ts': `// process the Buffer
      export const process = (chunk: { Buffer: string }) => chunk.Buffer + 'process Bun'
      export const again = process({ Buffer: 'Buffer' })`,
  })
  expect(found).toEqual([])
})

test('an import cycle is named once, of types or not', async () => {
  const found = await check({
    'src/auth/a.ts': `import { b } from './b.ts'`,
    'src/auth/b.ts': `import { c } from '../policy/c.ts'`,
    'src/policy/c.ts': `import type { a } from '../auth/a.ts'`,
    'src/auth/outside.ts': `import { b } from './b.ts'`,
  })
  expect(found).toEqual(['import cycle: src/auth/a.ts -> src/auth/b.ts -> src/policy/c.ts -> src/auth/a.ts'])
})

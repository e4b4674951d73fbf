import { expect, test } from 'vitest'
import { maskSecrets } from '../../../src/config/mask.ts'
import { load, SECRET } from '../../support/config.ts'

const withAudit = (audit: string) =>
  load(`models: [{ id: m, upstreams: [{ url: http://a/v1, kind: vllm }] }]\naudit: { ${audit} }`, {
    PROMPT_HMAC_SECRET: SECRET,
  })
const toPlace = (place: string) => withAudit(`checkpoint: { key: k.json, to: [{ ${place} }] }`)

test.each([
  ['kind: file', 'path', 'is required with kind: file'],
  ['kind: file, path: p, url: http://a', 'url', 'only goes with kind: redis and http'],
  ['kind: file, path: p, token: t', 'token', 'only goes with kind: http'],
  ['kind: redis', 'url', 'should be a URL that begins with redis:// or rediss://'],
  ['kind: redis, url: http://a', 'url', 'should be a URL that begins with redis:// or rediss://'],
  ['kind: redis, url: redis://a, token: t', 'token', 'only goes with kind: http'],
  ['kind: http, url: redis://a', 'url', 'should be a URL that begins with http:// or https://, without credentials'],
  [
    'kind: http, url: http://u:p@a/',
    'url',
    'should be a URL that begins with http:// or https://, without credentials',
  ],
  ['kind: http, url: http://a, path: p', 'path', 'only goes with kind: file'],
  ['kind: ftp', 'kind', 'should be one of: file, redis, http'],
])('a place of checkpoints, { %s }, is a fault of %s', async (place, key, reason) => {
  expect(await toPlace(place)).toMatchObject({
    ok: false,
    faults: [{ path: `audit.checkpoint.to[0].${key}`, reason }],
  })
})

test.each([
  ['intent: maybe', 'audit.intent'],
  ['maxFileAge: 1s', 'audit.maxFileAge'],
  ['checkpoint: {}', 'audit.checkpoint.key'],
  ['checkpoint: { key: k, every: 10ms }', 'audit.checkpoint.every'],
  ['checkpoint: { key: k, origin: a b }', 'audit.checkpoint.origin'],
  ['checkpoint: { key: k, to: [] }', 'audit.checkpoint.to'],
  ['previousHmacSecrets: [short]', 'audit.previousHmacSecrets[0]'],
])('{ %s } is a fault of %s, which repeats no value', async (audit, path) => {
  const result = await withAudit(audit)
  expect(result.ok ? [] : result.faults.map(fault => fault.path)).toEqual([path])
  expect(JSON.stringify(result)).not.toContain('short"')
})

test.each([
  ['intent: off', 'audit.intent'],
  ['checkpoint: { key: k }', 'audit.checkpoint.to'],
  ['checkpoint: { key: k, to: [{ kind: file, path: audit/c }] }', 'audit.checkpoint.to[0].path'],
  ['checkpoint: { key: k, to: [{ kind: http, url: http://far.example/, token: t }] }', 'audit.checkpoint.to[0].token'],
])('{ %s } is a warning of %s', async (audit, path) => {
  const result = await withAudit(audit)
  expect(result.ok && result.warnings.map(warning => warning.path)).toEqual([path])
})

test('without places checkpoints go beside the log; credentials are masked', async () => {
  expect(await withAudit('checkpoint: { key: k.json }')).toMatchObject({
    ok: true,
    config: {
      audit: {
        checkpoint: {
          everyMs: 60_000,
          key: '/base/k.json',
          to: [{ kind: 'file', path: '/base/audit/audit.jsonl.checkpoints' }],
        },
      },
    },
  })
  const result = await withAudit(
    `previousHmacSecrets: ['${'p'.repeat(32)}'], checkpoint: { key: k, to: [{ kind: redis, url: 'redis://u:hidden@r/0' }, { kind: http, url: https://w/, token: hidden }] }`,
  )
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  const shown = JSON.stringify(maskSecrets(result.config))
  expect(shown).not.toMatch(/hidden|pppp/)
  expect(shown).toContain('https://w/')
})

import { expect, test } from 'vitest'
import { ExpiryWarnings } from '../../../src/auth/expiry-warnings.ts'
import type { Principal } from '../../../src/auth/principal.ts'

const DAY_MS = 86_400_000
const NOW_MS = 1_790_000_000_000

function setUp() {
  const lines: unknown[] = []
  const counts: unknown[] = []
  const warnings = new ExpiryWarnings(7 * DAY_MS, {
    log: (level, event, fields) => void lines.push({ level, event, ...fields }),
    count: (...args) => void counts.push(args),
  })
  return { warnings, lines, counts }
}

const principal = (leftMs: number, lifeMs = 90 * DAY_MS): Principal => ({
  issuer: 'sallyport',
  tokenId: `t-${leftMs}`,
  subject: 'blue/web/test',
  team: 'blue',
  app: 'web',
  env: 'test',
  scopes: new Set(['inference']),
  models: ['*'],
  issuedAtMs: NOW_MS + leftMs - lifeMs,
  expiresAtMs: NOW_MS + leftMs,
})

test('says nothing of a token that lives long enough', () => {
  const { warnings, lines, counts } = setUp()
  expect(warnings.of(principal(7 * DAY_MS), NOW_MS)).toBeUndefined()
  expect([lines, counts]).toEqual([[], []])
})

test('tells every caller, and operators once a day', () => {
  const { warnings, lines, counts } = setUp()
  const soon = principal(2 * DAY_MS)
  const expires = '2026-09-23T14:13:20.000Z'
  for (const afterMs of [0, 1, DAY_MS - 1]) expect(warnings.of(soon, NOW_MS + afterMs)).toBe(expires)
  expect(lines).toEqual([
    {
      level: 'warn',
      event: 'token_expires_soon',
      tokenId: soon.tokenId,
      team: 'blue',
      app: 'web',
      env: 'test',
      expires,
    },
  ])
  expect(warnings.of(soon, NOW_MS + DAY_MS)).toBe(expires)
  expect(lines).toHaveLength(2)
  expect(counts).toEqual(Array(2).fill(['sallyport_token_expiry_warnings_total', { team: 'blue' }]))
})

test('of tokens that live less than a day, operators hear nothing', () => {
  const { warnings, lines } = setUp()
  expect(warnings.of(principal(1000, DAY_MS - 1), NOW_MS)).toBeDefined()
  expect(lines).toEqual([])
})

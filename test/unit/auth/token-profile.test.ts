import { expect, test } from 'vitest'
import { checkClaims } from '../../../src/auth/token-profile.ts'
import { GOOD_CLAIMS, NOW_S } from '../../support/tokens.ts'

const DAY_S = 86_400
const PROFILE = { issuer: 'sallyport', audience: 'sallyport', maxLifetimeMs: 90 * DAY_S * 1000 }

const check = (changes: Record<string, unknown> = {}, nowS = NOW_S) =>
  checkClaims({ ...GOOD_CLAIMS, ...changes }, PROFILE, nowS * 1000)

test('good claims make a principal', () => {
  expect(check()).toEqual({
    tokenId: 'token-1',
    issuer: 'sallyport',
    subject: 'search/web/test',
    team: 'search',
    app: 'web',
    env: 'test',
    scopes: new Set(['inference', 'usage:read']),
    models: ['*'],
    issuedAtMs: NOW_S * 1000,
    expiresAtMs: (NOW_S + 3600) * 1000,
  })
})

test('a priority class is taken as it is: whether it counts is for the configuration to say', () => {
  expect(check({ priority: 'batch' })).toMatchObject({ team: 'search', priority: 'batch' })
})

test.each(Object.keys(GOOD_CLAIMS))('without %s it is refused', claim => {
  expect(check({ [claim]: undefined })).toEqual({ reason: 'missing_claim', claim })
})

test.each([
  ['team', 'a b'],
  ['team', 'ä'],
  ['team', ''],
  ['team', 'a'.repeat(65)],
  ['team', ['a']],
  ['app', 'a/b'],
  ['env', 'a:b'],
  ['env', 'a\n'],
  ['jti', 7],
  ['jti', 'a b'],
  ['sub', ''],
  ['sub', 'a\nb'],
  ['sub', 'a'.repeat(256)],
  ['scope', ''],
  ['scope', 'a  b'],
  ['scope', ['inference']],
  ['scope', 'a'.repeat(513)],
  ['models', 'llama'],
  ['priority', 'very high'],
  ['priority', 1],
  ['priority', null],
  ['limits', null],
  ['limits', [{ requests: 1 }]],
  ['limits', { 'key-rate': 60 }],
  ['limits', { 'key-rate': { request: 60 } }],
  ['limits', { 'key-rate': { requests: 0 } }],
  ['limits', { 'key-rate': { requests: '60' } }],
  ['limits', { 'key rate': { requests: 60 } }],
  ['limits', Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`quota-${index}`, {}]))],
  ['models', [1]],
  ['models', ['']],
  ['models', ['a'.repeat(201)]],
  ['models', Array.from({ length: 65 }, () => 'a')],
  ['exp', '1800003600'],
  ['exp', Number.NaN],
  ['exp', Number.POSITIVE_INFINITY],
  ['exp', (NOW_S + 3600) * 1000],
  ['iat', -1],
  ['nbf', null],
])('%s %j is refused', (claim, value) => {
  expect(check({ [claim]: value })).toEqual({ reason: 'invalid_claim', claim })
})

test.each([
  ['a foreign issuer', { iss: 'https://elsewhere' }, { reason: 'wrong_issuer' }],
  ['another audience', { aud: 'other' }, { reason: 'wrong_audience' }],
  ['no audience of ours', { aud: ['a', 'b'] }, { reason: 'wrong_audience' }],
  ['over 90 days', { exp: NOW_S + 90 * DAY_S + 1 }, { reason: 'lifetime_too_long' }],
  ['a backdated long life', { iat: NOW_S - 80 * DAY_S, exp: NOW_S + 11 * DAY_S }, { reason: 'lifetime_too_long' }],
])('%s is refused', (_, changes, refusal) => {
  expect(check(changes)).toEqual(refusal)
})

const THUMBPRINT = 'a4TN1SmEZe8Cd_4KV6RkqrghQUOuqjb6sH5keZSoQV8'

test('a binding to a certificate is part of the principal', () => {
  expect(check({ cnf: { 'x5t#S256': THUMBPRINT } })).toMatchObject({ certThumbprint: THUMBPRINT })
  expect(check()).not.toHaveProperty('certThumbprint')
})

test.each([
  [null],
  ['x'],
  [[]],
  [{}],
  [{ jkt: THUMBPRINT }],
  [{ 'x5t#S256': THUMBPRINT, jkt: THUMBPRINT }],
  [{ 'x5t#S256': '' }],
  [{ 'x5t#S256': THUMBPRINT.slice(1) }],
  [{ 'x5t#S256': `${THUMBPRINT.slice(0, -1)}9` }],
  [{ 'x5t#S256': [THUMBPRINT] }],
])('a condition that is not checked here is refused: %j', cnf => {
  expect(check({ cnf })).toEqual({ reason: 'invalid_claim', claim: 'cnf' })
})

test('one audience of several is enough', () => {
  expect(check({ aud: ['other', 'sallyport'] })).toHaveProperty('tokenId')
})

test('exactly 90 days are allowed', () => {
  expect(check({ exp: NOW_S + 90 * DAY_S })).toHaveProperty('tokenId')
})

test('the end is exact, without tolerance', () => {
  expect(check({}, NOW_S + 3599.999)).toHaveProperty('tokenId')
  expect(check({}, NOW_S + 3600)).toEqual({ reason: 'expired' })
})

test.each(['nbf', 'iat'])('clocks may differ by 30 s for %s and no more', claim => {
  expect(check({ [claim]: NOW_S + 30 })).toHaveProperty('tokenId')
  expect(check({ [claim]: NOW_S + 31 })).toEqual({ reason: 'not_yet_valid' })
})

test('an empty list of models allows none, and is not mistaken for all', () => {
  expect(check({ models: [] })).toMatchObject({ models: [] })
})

import { expect, test } from 'vitest'
import { parseClaimSource, readClaim } from '../../../src/auth/claim-source.ts'

const CLAIMS = {
  azp: 'web',
  groups: ['search', 'all'],
  realm_access: { roles: ['user', 'inference'] },
  'https://example.com/team': 'legal',
  'a~b': 'tilde',
  text: 'abc',
  nothing: null,
}

const read = (text: string) => {
  const source = parseClaimSource(text)
  return source === undefined ? 'no source' : readClaim(CLAIMS, source)
}

test.each([
  ['azp', 'web'],
  ['groups.0', 'search'],
  ['groups.1', 'all'],
  ['realm_access.roles.1', 'inference'],
  ['realm_access.roles', ['user', 'inference']],
  ['/https:~1~1example.com~1team', 'legal'],
  ['/a~0b', 'tilde'],
  ['/groups/0', 'search'],
  ['=production', 'production'],
  ['==x', '=x'],
])('%s is %j', (text, value) => {
  expect(read(text)).toEqual(value)
})

test.each([
  'groups.2',
  'groups.-1',
  'groups.00',
  'groups.length',
  'groups.at',
  'text.0',
  'text.length',
  'nothing.x',
  'constructor',
  '__proto__',
  'toString.name',
  'azp.x',
])('%s is nowhere', text => {
  expect(read(text)).toBeUndefined()
})

test.each(['', '=', '.', 'a.', '.a', 'a..b', '/a~2b', '/a~'])('%j is none', text => {
  expect(read(text)).toBe('no source')
})

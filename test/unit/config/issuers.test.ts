import { expect, test } from 'vitest'
import { load, MINIMAL } from '../../support/config.ts'

const IDP = 'issuer: https://idp.example, jwks: https://idp.example/jwks, audience: llm'

async function loaded(tokens: string) {
  const result = await load(`${MINIMAL}tokens: ${tokens}`)
  return result.ok ? result.config.tokens : result.faults.map(({ path, reason }) => `${path}: ${reason}`)
}

test('a trusted issuer takes the gateway’s strictness by default', async () => {
  expect(await loaded(`{ trusted: [{ ${IDP}, claims: { team: groups.0, app: azp } }] }`)).toMatchObject({
    trusted: [
      {
        issuer: 'https://idp.example',
        jwks: 'https://idp.example/jwks',
        audience: ['llm'],
        algorithms: ['EdDSA', 'ES256', 'RS256'],
        types: ['at+jwt'],
        maxLifetimeMs: 86_400_000,
        scopes: ['inference', 'models:read'],
        claims: { team: 'groups.0', app: 'azp' },
      },
    ],
  })
})

test('files are relative to the configuration, URLs are not; types are compared in lower case', async () => {
  const one = '{ issuer: a, jwks: idp.json, audience: [x, y], types: [application/JWT, none] }'
  expect(
    await loaded(`{ jwks: "https://keys.example/?v=1", keyFetch: { ca: ca.pem }, trusted: [${one}] }`),
  ).toMatchObject({
    jwks: 'https://keys.example/?v=1',
    keyFetch: { ca: '/base/ca.pem' },
    trusted: [{ jwks: '/base/idp.json', audience: ['x', 'y'], types: ['jwt', 'none'] }],
  })
})

test('keys over plain HTTP, from this machine, where it is said', async () => {
  const tokens = await loaded('{ jwks: "http://127.0.0.1:9/jwks", keyFetch: { insecure: true } }')
  expect(tokens).toMatchObject({ jwks: 'http://127.0.0.1:9/jwks' })
})

test.each([
  [`trusted: [{ ${IDP} }, { ${IDP} }]`, 'tokens.trusted[1].issuer: this issuer is there already'],
  ['trusted: [{ issuer: sallyport, jwks: a, audience: b }]', 'tokens.trusted[0].issuer: is tokens.issuer'],
  [
    `trusted: [{ ${IDP}, algorithms: [HS256] }]`,
    'tokens.trusted[0].algorithms[0]: should be one of: EdDSA, ES256, RS256',
  ],
  [`trusted: [{ ${IDP}, algorithms: [none] }]`, 'tokens.trusted[0].algorithms[0]: should be one of'],
  [`trusted: [{ ${IDP}, algorithms: [] }]`, 'tokens.trusted[0].algorithms: should name at least one'],
  [`trusted: [{ ${IDP}, types: [] }]`, 'tokens.trusted[0].types: should name at least one'],
  [`trusted: [{ ${IDP}, types: ["a b"] }]`, 'tokens.trusted[0].types[0]: should be a media type'],
  [`trusted: [{ ${IDP}, scopes: [everything] }]`, 'tokens.trusted[0].scopes[0]: should be one of: inference'],
  [`trusted: [{ ${IDP}, maxLifetime: 91d }]`, 'tokens.trusted[0].maxLifetime: should be from 1s to 90d'],
  ['trusted: [{ issuer: a, jwks: b }]', 'tokens.trusted[0].audience: is required'],
  ['trusted: [{ issuer: a, jwks: b, audience: [] }]', 'tokens.trusted[0].audience: should name at least one'],
  [
    'trusted: [{ issuer: a, jwks: "http://idp/jwks", audience: b }]',
    'tokens.trusted[0].jwks: should begin with https://',
  ],
  ['keyFetch: { insecure: true }, jwks: "http://idp/jwks"', 'tokens.jwks: should begin with https://'],
  ['jwks: "http://localhost/jwks"', 'tokens.jwks: is http:; allow it on this machine with tokens.keyFetch.insecure'],
  ['jwks: "ftp://a/jwks"', 'tokens.jwks: should be a file, or a URL that begins with https://'],
  ['jwks: "file:///etc/passwd"', 'tokens.jwks: should be a file, or a URL that begins with https://'],
  ['jwks: "https://"', 'tokens.jwks: should be a file, or a URL that begins with https://'],
  ['jwks: "https://u:p@a/jwks"', 'tokens.jwks: should not hold a user name or password'],
  ['jwks: "https://a/jwks#x"', 'tokens.jwks: should not have a fragment'],
  ['keyFetch: { every: 1h, maxStale: 30m }', 'tokens.keyFetch.maxStale: shorter than tokens.keyFetch.every'],
  ['keyFetch: { timeout: 31s }', 'tokens.keyFetch.timeout: should be from 100ms to 30s'],
  ['keyFetch: { evry: 1h }', 'tokens.keyFetch.evry: unknown key; did you mean "every"?'],
  [`trusted: [{ ${IDP}, claims: { team: a..b } }]`, 'tokens.trusted[0].claims.team: should be a path such as groups.0'],
  [`trusted: [{ ${IDP}, claims: { teams: a } }]`, 'tokens.trusted[0].claims.teams: unknown key; did you mean "team"?'],
  [
    `trusted: [{ ${IDP}, claims: { env: "=a b" } }]`,
    'tokens.trusted[0].claims.env: should be = and at most 64 letters',
  ],
  [
    `trusted: [{ ${IDP}, claims: { scope: "=tokens:admin" } }]`,
    'tokens.trusted[0].claims.scope: names a scope that is not in',
  ],
  [`trusted: [{ ${IDP}, claims: { models: "=a,,b" } }]`, 'tokens.trusted[0].claims.models: should be =globs'],
  [`trusted: [{ ${IDP}, claims: { subject: "=a" } }]`, 'tokens.trusted[0].claims.subject: should be a path'],
  [`trusted: [{ ${IDP}, claims: { tokenId: "=a" } }]`, 'tokens.trusted[0].claims.tokenId: should be a path'],
])('%s', async (tokens, fault) => {
  expect(await loaded(`{ ${tokens} }`)).toEqual([expect.stringContaining(fault)])
})

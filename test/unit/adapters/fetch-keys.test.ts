import { readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { createFetchKeys } from '../../../adapters/node/fetch-keys.ts'
import { startIdentityProvider } from '../../support/identity-provider.ts'

afterEach(() => vi.unstubAllEnvs())

test('keys come over connections that are trusted alone, whatever the environment says', async () => {
  await using idp = await startIdentityProvider()
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  const options = {
    headers: new Headers(),
    method: 'GET',
    redirect: 'manual',
    signal: AbortSignal.timeout(5000),
  } as const
  await expect(createFetchKeys()(idp.jwks, options)).rejects.toThrow(/cannot be reached: .*(CERT|certificate)/)
  expect(idp.fetches).toBe(0)
  const trusting = createFetchKeys(readFileSync(idp.ca, 'utf8'))
  expect((await trusting(idp.jwks, options)).status).toBe(200)
})

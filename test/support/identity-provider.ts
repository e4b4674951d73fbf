import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { tempDir } from './temp-dir.ts'
import { type TestKey, testKey } from './tokens.ts'

/** How the key set is answered. */
export type KeysAnswer = (response: ServerResponse) => void

/** An identity provider on loopback: a key set over HTTPS under a certificate of its own, and access tokens. */
export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string
  readonly jwks: string
  /** PEM file of its certificate. */
  readonly ca: string
  /** Requests so far. */
  readonly fetches: number
  /** The first is what tokens are signed with. */
  keys: TestKey[]
  /** Undefined: the keys. */
  answer: KeysAnswer | undefined
  /** An access token as such servers make it; `undefined` takes a claim or header away. */
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>
  /** Stops to listen, as a machine that is down. */
  down(): Promise<void>
  /** Listens again, on the same port. */
  up(): Promise<void>
}

/** Making an RSA key takes long enough to be noticed: all providers of a process begin with one. */
let firstKey: Promise<TestKey> | undefined

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const folder = tempDir()
  const [ca, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', ca]
  execFileSync('openssl', ['req', ...options.split(' '), ...names], { stdio: 'pipe' })

  let fetches = 0
  const server = createServer({ cert: readFileSync(ca), key: readFileSync(key) }, (_, response) => {
    fetches++
    if (provider.answer !== undefined) return provider.answer(response)
    response.end(JSON.stringify({ keys: provider.keys.map(({ publicJwk }) => publicJwk) }))
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  const down = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise(done => server.close(done))
  }
  const provider = {
    issuer: `https://localhost:${port}`,
    jwks: `https://localhost:${port}/jwks`,
    ca,
    get fetches() {
      return fetches
    },
    keys: [await (firstKey ??= testKey('RS256', 'idp-1'))],
    answer: undefined as KeysAnswer | undefined,
    async token(claims: Readonly<Record<string, unknown>> = {}, header: Readonly<Record<string, unknown>> = {}) {
      const [signing] = provider.keys
      if (signing === undefined) throw new Error('there is no key to sign with')
      const now = Math.floor(Date.now() / 1000)
      const who = { sub: 'f:1:ann', azp: 'web', groups: ['search', 'all'], scope: 'openid inference' }
      return new SignJWT({ iss: provider.issuer, aud: 'llm', iat: now, exp: now + 300, ...who, ...claims })
        .setProtectedHeader({ alg: signing.alg, kid: signing.kid, typ: 'JWT', ...header })
        .sign(signing.privateKey)
    },
    down,
    up: () => listen(port),
    [Symbol.asyncDispose]: down,
  }
  return provider
}

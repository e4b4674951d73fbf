import { compactVerify } from 'jose'
import { nodeHashing } from '../adapters/node/hashing.ts'
import { ownIssuer, trustedIssuer } from '../src/auth/issuer.ts'
import { importKeySet, type KeySet } from '../src/auth/key-set.ts'
import { createTokenVerifier, type VerifyToken } from '../src/auth/verify-token.ts'
import { TOKEN_CACHE_ENTRIES } from '../src/config/limits.ts'
import { signed, type TestKey, testKey } from '../test/support/tokens.ts'

/**
 * What checking a token costs by itself: `node --expose-gc bench/auth.ts`. Processor time of all threads, not time on the
 * clock: signatures are checked on others than the main one, and other work on the machine disturbs little.
 */

const ROUNDS = 7
const SEEN_CALLS = 100_000
const UNSEEN_TOKENS = 500
const IDP = 'https://idp.example'

/** Microseconds of processor time a call, the least of some rounds. */
async function cost(calls: number, round: () => Promise<void> | void): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < ROUNDS; i++) {
    const before = process.cpuUsage()
    await round()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / calls)
  }
  return least
}

const nowS = Math.floor(Date.now() / 1000)
const live = { iat: nowS, nbf: nowS, exp: nowS + 3600 }

async function keysOf(key: TestKey): Promise<KeySet> {
  const imported = await importKeySet({ keys: [key.publicJwk] })
  if (!imported.ok) throw new Error(imported.reason)
  return imported.keySet
}

function verifierOf(keys: KeySet): VerifyToken {
  const source = { keys, reload: () => undefined }
  const algorithms = ['EdDSA', 'ES256', 'RS256'] as const
  const trusted = {
    issuer: IDP,
    jwks: '',
    audience: ['llm'],
    algorithms,
    types: ['jwt'],
    maxLifetimeMs: 3_600_000,
    scopes: ['inference'] as const,
    claims: { team: 'groups.0', app: 'azp', env: '=production' },
  }
  return createTokenVerifier({
    issuers: [
      ownIssuer({ issuer: 'sallyport', audience: 'sallyport', maxLifetimeMs: 3_600_000, algorithms }, source),
      trustedIssuer(trusted, source, nodeHashing),
    ],
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    hashing: nodeHashing,
  })
}

const tokensOf = (key: TestKey, claims: Readonly<Record<string, unknown>> = {}, header = {}) =>
  Promise.all(
    Array.from({ length: UNSEEN_TOKENS }, (_, i) => signed(key, { ...live, jti: `t-${i}`, ...claims }, header)),
  )

async function raw(token: string, { key, algorithm }: { key: CryptoKey; algorithm: string }): Promise<void> {
  const dot = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(dot + 1), 'base64url')
  const name = { EdDSA: 'Ed25519', RS256: 'RSASSA-PKCS1-v1_5', ES256: 'ECDSA' }[algorithm] ?? algorithm
  const ok = await crypto.subtle.verify({ name, hash: 'SHA-256' }, key, signature, Buffer.from(token.slice(0, dot)))
  if (!ok) throw new Error('a good signature is refused')
}

const rows: Record<string, Record<string, number>> = {}
for (const alg of ['EdDSA', 'ES256', 'RS256'] as const) {
  const key = await testKey(alg)
  const keys = await keysOf(key)
  const [imported] = keys.values()
  if (imported === undefined) throw new Error('no key')
  const own = await tokensOf(key)
  const foreign = await tokensOf(key, { iss: IDP, aud: 'llm', groups: ['search'], azp: 'web' }, { typ: 'JWT' })
  const each = (tokens: readonly string[], check: (token: string) => unknown) =>
    cost(tokens.length, async () => {
      for (const token of tokens) await check(token)
    })
  const unseen = (tokens: readonly string[]) =>
    cost(tokens.length, async () => {
      const verify = verifierOf(keys)
      for (const token of tokens) {
        const verdict = await verify(token)
        if ('reason' in verdict) throw new Error(verdict.reason)
      }
    })
  const verify = verifierOf(keys)
  for (const token of own.slice(0, 64)) await verify(token)
  rows[alg] = {
    characters: own[0]?.length ?? 0,
    'seen (µs)': await cost(SEEN_CALLS, () => {
      for (let i = 0; i < SEEN_CALLS; i++) void verify(own[i & 63] ?? '')
    }),
    'WebCrypto alone': await each(own, token => raw(token, imported)),
    'jose alone': await each(own, token => compactVerify(token, imported.key)),
    unseen: await unseen(own),
    'unseen, trusted issuer': await unseen(foreign),
  }
}
for (const row of Object.values(rows)) {
  for (const [name, value] of Object.entries(row)) row[name] = Math.round(value * 10) / 10
}
console.table(rows)

/** Heap that is in use after a collection, in bytes. */
function heap(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

const key = await testKey('EdDSA')
const keys = await keysOf(key)
const verify = verifierOf(keys)
const fill = async (from: number, count: number) => {
  for (let i = from; i < from + count; i++) {
    await verify(await signed(key, { ...live, jti: `token-${i}`, models: ['llama-3.1-8b', 'qwen-*'] }))
  }
}
await fill(0, 100)
const empty = heap()
await fill(100, TOKEN_CACHE_ENTRIES)
const full = heap()
await fill(100 + TOKEN_CACHE_ENTRIES, TOKEN_CACHE_ENTRIES)
const twice = heap()
const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
console.log(
  `memory of seen tokens: ${mb(full - empty)} at ${TOKEN_CACHE_ENTRIES}, ${mb(twice - empty)} after as many more`,
)

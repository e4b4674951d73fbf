import { X509Certificate } from 'node:crypto'
import type { FetchImplementation } from 'jose'
import { type Issuer, ownIssuer, trustedIssuer } from '../../src/auth/issuer.ts'
import { KeySource, type LoadKeys } from '../../src/auth/key-source.ts'
import { remoteKeys } from '../../src/auth/remote-keys.ts'
import type { KeyFetchConfig, TokensConfig } from '../../src/config/config.ts'
import { KEY_FILE_COOLDOWN_MS, KEY_FILE_EVERY_MS, MAX_JWKS_BYTES } from '../../src/config/limits.ts'
import { isKeyUrl } from '../../src/config/tokens-schema.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { systemClock } from '../node/clock.ts'
import { nodeHashing } from '../node/hashing.ts'
import { keyFile } from '../node/key-file.ts'
import { readText } from '../node/read-text.ts'
import { CommandFailure } from './failure.ts'

/** The issuers whose tokens are taken, and the keys behind each. */
export interface TokenIssuers {
  /** The gateway's own first. */
  readonly issuers: readonly Issuer[]
  /** The keys of the gateway's own tokens. */
  readonly own: KeySource
  /** By issuer, in the same order. */
  readonly sources: ReadonlyMap<string, KeySource>
  /** Goes on looking for keys, until `close`. */
  watch(): void
  close(): void
}

/**
 * Puts the issuers of a configuration together. Keys are looked for when they are first needed; `loadIssuers` does so at
 * once.
 * @throws CommandFailure when the file of `tokens.keyFetch.ca` cannot be used
 */
export async function createIssuers(tokens: TokensConfig, telemetry: Telemetry): Promise<TokenIssuers> {
  const usesUrls = [tokens, ...tokens.trusted].some(({ jwks }) => isKeyUrl(jwks))
  const fetchKeys = usesUrls ? await createFetch(tokens.keyFetch) : undefined
  const sourceOf = (issuer: string, jwks: string) => {
    const load = fetchKeys && isKeyUrl(jwks) ? remoteKeys(jwks, fetchKeys, tokens.keyFetch.timeoutMs) : keyFile(jwks)
    return createSource(issuer, load, isKeyUrl(jwks), tokens.keyFetch, telemetry)
  }
  const own = sourceOf(tokens.issuer, tokens.jwks)
  const issuers = [ownIssuer(tokens, own)]
  const sources = new Map([[tokens.issuer, own]])
  for (const trusted of tokens.trusted) {
    const source = sourceOf(trusted.issuer, trusted.jwks)
    issuers.push(trustedIssuer(trusted, source, nodeHashing))
    sources.set(trusted.issuer, source)
  }
  return {
    issuers,
    own,
    sources,
    watch: () => {
      for (const source of sources.values()) source.watch()
    },
    close: () => {
      for (const source of sources.values()) source.close()
    },
  }
}

/**
 * Looks for all keys. A file has to be good from the start, since a person has just named it; what is
 * behind a URL may come later: its tokens are refused until then.
 * @throws CommandFailure when a file cannot be used
 */
export async function loadIssuers(tokens: TokensConfig, telemetry: Telemetry): Promise<TokenIssuers> {
  const issuers = await createIssuers(tokens, telemetry)
  const { sources } = issuers
  await Promise.all([...sources.values()].map(source => source.look()))
  const named = [
    ['tokens.jwks', tokens] as const,
    ...tokens.trusted.map((trusted, index) => [`tokens.trusted[${index}].jwks`, trusted] as const),
  ]
  for (const [path, { issuer, jwks }] of named) {
    const failure = sources.get(issuer)?.failure
    if (failure === undefined || isKeyUrl(jwks)) continue
    throw new CommandFailure(`${path}: ${failure.startsWith(jwks) ? failure : `${jwks}: ${failure}`}`)
  }
  return issuers
}

function createSource(
  issuer: string,
  load: LoadKeys,
  isRemote: boolean,
  { everyMs, cooldownMs, maxStaleMs }: KeyFetchConfig,
  telemetry: Telemetry,
): KeySource {
  const schedule = isRemote
    ? { everyMs, retryMs: Math.min(everyMs, cooldownMs), cooldownMs, maxStaleMs }
    : { everyMs: KEY_FILE_EVERY_MS, retryMs: KEY_FILE_EVERY_MS, cooldownMs: KEY_FILE_COOLDOWN_MS, maxStaleMs }
  return new KeySource({ issuer, load, schedule, clock: systemClock, telemetry })
}

async function createFetch({ ca: path }: KeyFetchConfig): Promise<FetchImplementation> {
  // TLS is loaded only where keys come over it.
  const { createFetchKeys } = await import('../node/fetch-keys.ts')
  if (path === undefined) return createFetchKeys()
  const file = await readText(path, MAX_JWKS_BYTES)
  if (!file.ok) throw new CommandFailure(`tokens.keyFetch.ca: ${path} cannot be read: ${file.reason}`)
  try {
    new X509Certificate(file.text)
  } catch {
    throw new CommandFailure(`tokens.keyFetch.ca: ${path}: not a PEM certificate`)
  }
  return createFetchKeys(file.text)
}

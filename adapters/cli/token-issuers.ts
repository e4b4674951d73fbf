import { X509Certificate } from 'node:crypto'
import type { FetchImplementation } from 'jose'
import { type Issuer, ownIssuer, trustedIssuer } from '../../src/auth/issuer.ts'
import { KeySource, type LoadKeys } from '../../src/auth/key-source.ts'
import { remoteKeys } from '../../src/auth/remote-keys.ts'
import type { KeyFetchConfig, TokensConfig, TrustedIssuerConfig } from '../../src/config/config.ts'
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
  /** What they are made of. */
  readonly tokens: TokensConfig
  /** The gateway's own first. */
  readonly issuers: readonly Issuer[]
  /** The keys of the gateway's own tokens. */
  readonly own: KeySource
  /** By issuer, in the same order. */
  readonly sources: ReadonlyMap<string, KeySource>
  /** Goes on looking for keys, until `close`. */
  watch(): void
  /** Ends that; not for the keys that others go on with. */
  close(others?: TokenIssuers): void
}

/**
 * Puts the issuers of a configuration together. Keys are looked for when they are first needed; `loadIssuers` does so at
 * once.
 * @param before the issuers of the configuration before, of which those that have not changed are taken over; its own
 *   parts are shared with `tokens`
 * @throws CommandFailure when the file of `tokens.keyFetch.ca` cannot be used
 */
export async function createIssuers(
  tokens: TokensConfig,
  telemetry: Telemetry,
  before?: TokenIssuers,
): Promise<TokenIssuers> {
  const usesUrls = [tokens, ...tokens.trusted].some(({ jwks }) => isKeyUrl(jwks))
  const fetchKeys = usesUrls ? await createFetch(tokens.keyFetch) : undefined
  const sourceOf = (issuer: string, jwks: string) => {
    const known = before?.tokens.keyFetch === tokens.keyFetch ? before.sources.get(issuer) : undefined
    if (before && known && jwksOf(before, issuer) === jwks) return known
    const load = fetchKeys && isKeyUrl(jwks) ? remoteKeys(jwks, fetchKeys, tokens.keyFetch.timeoutMs) : keyFile(jwks)
    return createSource(issuer, load, isKeyUrl(jwks), tokens.keyFetch, telemetry)
  }
  const own = sourceOf(tokens.issuer, tokens.jwks)
  const issuers = [keptOwn(tokens, own, before) ?? ownIssuer(tokens, own)]
  const sources = new Map([[tokens.issuer, own]])
  for (const trusted of tokens.trusted) {
    const source = sourceOf(trusted.issuer, trusted.jwks)
    issuers.push(keptTrusted(trusted, source, before) ?? trustedIssuer(trusted, source, nodeHashing))
    sources.set(trusted.issuer, source)
  }
  return {
    tokens,
    issuers,
    own,
    sources,
    watch: () => {
      for (const source of sources.values()) source.watch()
    },
    close: others => {
      const kept = new Set(others?.sources.values())
      for (const source of sources.values()) if (!kept.has(source)) source.close()
    },
  }
}

function jwksOf({ tokens }: TokenIssuers, issuer: string): string | undefined {
  return tokens.issuer === issuer ? tokens.jwks : tokens.trusted.find(trusted => trusted.issuer === issuer)?.jwks
}

/** The object of before, where nothing about the issuer has changed: tokens are remembered with it. */
function keptOwn(tokens: TokensConfig, source: KeySource, before: TokenIssuers | undefined): Issuer | undefined {
  const [own] = before?.issuers ?? []
  const keys = ['issuer', 'audience', 'maxLifetimeMs', 'algorithms'] as const
  return own?.source === source && keys.every(key => before?.tokens[key] === tokens[key]) ? own : undefined
}

function keptTrusted(
  trusted: TrustedIssuerConfig,
  source: KeySource,
  before: TokenIssuers | undefined,
): Issuer | undefined {
  const at = before?.tokens.trusted.indexOf(trusted) ?? -1
  const known = at < 0 ? undefined : before?.issuers[at + 1]
  return known?.source === source ? known : undefined
}

/**
 * Looks for all keys. A file has to be good from the start, since a person has just named it; what is
 * behind a URL may come later: its tokens are refused until then.
 * @throws CommandFailure when a file cannot be used
 */
export async function loadIssuers(
  tokens: TokensConfig,
  telemetry: Telemetry,
  before?: TokenIssuers,
): Promise<TokenIssuers> {
  const issuers = await createIssuers(tokens, telemetry, before)
  const { sources } = issuers
  const known = new Set(before?.sources.values())
  await Promise.all([...sources.values()].filter(source => !known.has(source)).map(source => source.look()))
  const named = [
    ['tokens.jwks', tokens] as const,
    ...tokens.trusted.map((trusted, index) => [`tokens.trusted[${index}].jwks`, trusted] as const),
  ]
  for (const [path, { issuer, jwks }] of named) {
    const source = sources.get(issuer)
    const failure = source?.failure
    // A file that has gone bad since is no fault of the configuration: its last good keys are in force.
    if (!source || failure === undefined || isKeyUrl(jwks) || known.has(source)) continue
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

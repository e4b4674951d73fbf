import { X509Certificate } from 'node:crypto'
import { connect } from 'node:net'
import type {
  CertificateFacts,
  EgressFacts,
  Facts,
  Read,
  TokenFacts,
  WeightsFacts,
} from '../../../src/checklist/facts.ts'
import type { Config, WeightsConfig } from '../../../src/config/config.ts'
import { isKeyUrl } from '../../../src/config/tokens-schema.ts'
import { parseRun, type RedteamRun } from '../../../src/redteam/record.ts'
import { compareWeights } from '../../../src/weights/compare.ts'
import { errorCode, reasonOf } from '../../node/error-code.ts'
import { forwardingState } from '../../node/forward/forwarding-state.ts'
import { readText } from '../../node/read-text.ts'
import { inspectWeights } from '../../node/weights/inspect.ts'
import { manifestPath, readManifest } from '../../node/weights/read-manifest.ts'
import { withRegistry } from '../open-registry.ts'
import { auditFacts } from './audit-facts.ts'

const MAX_FILE_BYTES = 1024 * 1024
const MAX_TOKENS = 10_000
const EGRESS_TIMEOUT_MS = 3000
/** How a system without a way out says so. A refusal may come from the other side. */
const BLOCKED = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EACCES', 'EPERM', 'ETIMEDOUT'])

export interface GatherOptions {
  readonly redteamFile: string
  /** Hash the weights, too. */
  readonly full: boolean
  readonly egress?: { readonly host: string; readonly port: number }
}

/** Looks at everything that a configuration names. Changes nothing, and rejects for nothing that a file or a store does. */
export async function gatherFacts(config: Config, { redteamFile, full, egress }: GatherOptions): Promise<Facts> {
  const weights: WeightsFacts[] = []
  for (const each of config.weights) weights.push(await weightsFacts(each, full))
  return {
    nowMs: Date.now(),
    config,
    audit: await auditFacts(config),
    forwarding: await forwardingFacts(config),
    certificates: await certificates(config),
    keys: await publicKeys(config.tokens.jwks),
    tokens: await tokens(config),
    weights,
    redteam: await lastRun(redteamFile),
    egress: egress && (await probeEgress(egress)),
  }
}

async function forwardingFacts({ audit }: Config): Promise<Facts['forwarding']> {
  try {
    const states = await forwardingState(audit)
    const value = states.map(({ name, kind, lag, fault }, index) => ({
      name,
      kind,
      lagRecords: lag.records,
      lagMs: lag.seconds * 1000,
      warnAfterMs: audit.forward[index]?.warnAfterMs ?? 0,
      fault,
    }))
    return { ok: true, value }
  } catch (error) {
    return { ok: false, reason: `audit.forward: cannot be read: ${reasonOf(error)}` }
  }
}

async function weightsFacts({ dir, manifest, key }: WeightsConfig, full: boolean): Promise<WeightsFacts> {
  const path = manifestPath(dir, manifest)
  const facts = { dir, hashed: full, sealed: undefined, worldWritable: false }
  const opened = await readManifest(path, key)
  if (!opened.ok) return { ...facts, problems: [opened.reason] }
  try {
    const found = await inspectWeights(dir, { manifest: path, needsHash: () => full })
    const problems = [...found.problems, ...compareWeights(opened.manifest, found.files)]
    return {
      ...facts,
      sealed: opened.manifest.sealed.slice(0, 10),
      problems: problems.map(problem => `${problem.path} ${problem.detail}`),
      worldWritable: problems.some(({ kind }) => kind === 'world-writable'),
    }
  } catch (error) {
    return { ...facts, problems: [`cannot be read: ${reasonOf(error)}`] }
  }
}

async function certificates(config: Config): Promise<CertificateFacts[]> {
  const named: [string, string | undefined][] = [
    ['tls.cert', config.tls?.cert],
    ['tls.clientCa', config.tls?.clientCa],
    ['admin.tls.cert', config.admin?.tls?.cert === config.tls?.cert ? undefined : config.admin?.tls?.cert],
    ...config.models.flatMap(({ id, upstreams }) =>
      upstreams.flatMap(({ tls }, index): [string, string | undefined][] => [
        [`${id}: upstreams[${index}].tls.cert`, tls?.cert],
        [`${id}: upstreams[${index}].tls.ca`, tls?.ca],
      ]),
    ),
  ]
  const found: CertificateFacts[] = []
  for (const [setting, file] of named) {
    if (file !== undefined) found.push({ setting, file, validity: await validity(file) })
  }
  return found
}

/** Of the first certificate in a file: the one that is shown, or an authority. */
async function validity(path: string): Promise<CertificateFacts['validity']> {
  const file = await readText(path, MAX_FILE_BYTES)
  if (!file.ok) return { ok: false, reason: `cannot be read: ${file.reason}` }
  try {
    const { validFrom, validTo } = new X509Certificate(file.text)
    return { ok: true, value: { fromMs: Date.parse(validFrom), toMs: Date.parse(validTo) } }
  } catch {
    return { ok: false, reason: 'is no certificate' }
  }
}

async function publicKeys(jwks: string): Promise<Read<number>> {
  if (isKeyUrl(jwks)) return { ok: true, value: 0 }
  const file = await readText(jwks, MAX_FILE_BYTES)
  if (!file.ok) return { ok: false, reason: `cannot be read: ${file.reason}` }
  try {
    const { keys } = JSON.parse(file.text) as { keys?: unknown }
    return Array.isArray(keys) && keys.length > 0
      ? { ok: true, value: keys.length }
      : { ok: false, reason: 'has no keys' }
  } catch {
    return { ok: false, reason: 'is not valid JSON' }
  }
}

async function tokens({ state }: Config): Promise<Read<TokenFacts>> {
  try {
    const live = await withRegistry(state, { create: false }, registry => registry.list({}, MAX_TOKENS))
    const has = (scopes: readonly string[], scope: string) => scopes.includes(scope)
    const mixed = live.filter(({ scopes }) => has(scopes, 'inference') && has(scopes, 'models:admin'))
    return {
      ok: true,
      value: {
        live: live.length,
        longestMs: Math.max(0, ...live.map(({ issuedAtMs, expiresAtMs }) => expiresAtMs - issuedAtMs)),
        mixed: mixed.map(({ tokenId }) => tokenId),
      },
    }
  } catch (error) {
    return { ok: false, reason: reasonOf(error) }
  }
}

async function lastRun(path: string): Promise<Read<RedteamRun>> {
  const file = await readText(path, MAX_FILE_BYTES)
  if (!file.ok) return { ok: false, reason: `${path}: ${file.reason}` }
  const run = parseRun(file.text)
  return run ? { ok: true, value: run } : { ok: false, reason: `${path} is no record of a run` }
}

/** Whether a connection can be made; it is closed at once, and nothing is sent. */
function probeEgress({ host, port }: { host: string; port: number }): Promise<EgressFacts> {
  const target = `${host}:${port}`
  const { promise, resolve } = Promise.withResolvers<EgressFacts>()
  const socket = connect({ host, port })
  const end = (state: EgressFacts['state'], detail: string) => {
    clearTimeout(timer)
    socket.destroy()
    resolve({ target, state, detail })
  }
  const timer = setTimeout(() => end('closed', `no answer in ${EGRESS_TIMEOUT_MS} ms`), EGRESS_TIMEOUT_MS)
  socket.once('connect', () => end('open', 'connected'))
  socket.on('error', error => end(BLOCKED.has(errorCode(error) ?? '') ? 'closed' : 'unclear', reasonOf(error)))
  return promise
}
